/** What an instruction does to control, found by running its semantics over a recorder. Who calls it: the JIT. */
import { type Fields, fieldNames, type Instruction } from "./instruction.ts";
import type { Operations } from "./operations.ts";

/**
 * `next`: goes on; `branch`: to `pc + imm` or on; `jump`: to `pc + imm`; `indirect`: to a computed address; `system`: may
 * leave for anywhere.
 */
export type Flow = "next" | "branch" | "jump" | "indirect" | "system";

/** How far the recorder can tell a value: the pc, an immediate, their sum, or nothing. */
type Known = "pc" | "immediate" | "pc + immediate" | "unknown";

const flows = new Map<Instruction, Flow>();

export function flowOf(instruction: Instruction): Flow {
  let flow = flows.get(instruction);
  if (flow === undefined) {
    flow = record(instruction);
    flows.set(instruction, flow);
  }
  return flow;
}

function record(instruction: Instruction): Flow {
  let flow: Flow = "next";
  const recorded: Partial<Operations<Known, string>> = {
    pc: () => "pc",
    immediate: () => "immediate",
    add: (a, b) => (a === "pc" && b === "immediate" ? "pc + immediate" : "unknown"),
    jump: (target) => {
      flow = target === "pc + immediate" ? "jump" : "indirect";
    },
    branch: () => {
      flow = "branch";
    },
    system: () => {
      flow = "system";
    },
  };
  const recorder = new Proxy(recorded, {
    get: (known, name) => known[name as keyof typeof known] ?? ((): Known => "unknown"),
  });
  const fields = Object.fromEntries(fieldNames.map((name) => [name, name])) as unknown as Fields<string>;
  instruction.semantics(recorder as Operations<Known, string>, fields);
  return flow;
}
