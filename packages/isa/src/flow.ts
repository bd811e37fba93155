/** Traits of instructions, found by running their semantics over a recorder. Who calls it: the code generators. */
import { type Fields, fieldNames, type Instruction, type Semantics } from "./instruction.ts";
import type { Operations } from "./operations.ts";

/**
 * `next`: goes on; `branch`: to `pc + imm` or on; `jump`: to `pc + imm`; `indirect`: to a computed address; `system`: may
 * leave for anywhere.
 */
export type Flow = "next" | "branch" | "jump" | "indirect" | "system";

/** How far the recorder can tell a value: the pc, an immediate, their sum, or nothing. */
type Known = "pc" | "immediate" | "pc + immediate" | "unknown";

interface Traits {
  readonly flow: Flow;
  readonly usesFloat: boolean;
}

const known = new Map<Semantics, Traits>();

export const flowOf = ({ semantics }: Pick<Instruction, "semantics">): Flow => traitsOf(semantics).flow;

/** Whether an instruction reads or writes floating-point state and so is illegal while `mstatus.FS` is off. */
export const usesFloat = ({ semantics }: Pick<Instruction, "semantics">): boolean => traitsOf(semantics).usesFloat;

function traitsOf(semantics: Semantics): Traits {
  let traits = known.get(semantics);
  if (traits === undefined) {
    traits = record(semantics);
    known.set(semantics, traits);
  }
  return traits;
}

function record(semantics: Semantics): Traits {
  let flow: Flow = "next";
  let usesFloat = false;
  const float = (): Known => {
    usesFloat = true;
    return "unknown";
  };
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
    f: float,
    setF: float,
    float,
  };
  const recorder = new Proxy(recorded, {
    get: (operations, name) => operations[name as keyof typeof operations] ?? ((): Known => "unknown"),
  });
  const fields = Object.fromEntries(fieldNames.map((name) => [name, name])) as unknown as Fields<string>;
  semantics(recorder as Operations<Known, string>, fields);
  return { flow, usesFloat };
}
