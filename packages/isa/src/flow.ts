/** Traits of instructions, found by running their semantics over a recorder. Who calls it: the code generators. */
import { type FieldName, type Fields, fieldNames, type Instruction, type Semantics } from "./instruction.ts";
import type { Operations } from "./operations.ts";

/**
 * `next`: goes on; `branch`: to `pc + imm` or on; `jump`: to `pc + imm`; `indirect`: to a computed address; `system`: may
 * leave for anywhere.
 */
export type Flow = "next" | "branch" | "jump" | "indirect" | "system";

/** How far the recorder can tell a value: the pc, an immediate, their sum, or nothing. */
type Known = "pc" | "immediate" | "pc + immediate" | "unknown";

/** Register operands, by the fields that name them. */
export interface RegisterFields {
  readonly x: readonly FieldName[];
  readonly f: readonly FieldName[];
}

export interface Traits {
  readonly flow: Flow;
  /** Whether it reads or writes floating-point state and so is illegal while `mstatus.FS` is off. */
  readonly usesFloat: boolean;
  /** Whether it loads or stores. */
  readonly usesMemory: boolean;
  /** Whether it may trap, or call the hart otherwise. */
  readonly mayTrap: boolean;
  readonly reads: RegisterFields;
  readonly writes: RegisterFields;
}

const trapping: ReadonlySet<string | symbol> = new Set<keyof Operations<unknown, unknown>>([
  "load",
  "store",
  "loadReserved",
  "storeConditional",
  "atomic",
  "compareExchange",
  "compareExchangePair",
  "csr",
  "system",
  "f",
  "setF",
  "float",
]);

const known = new Map<Semantics, Traits>();

export const flowOf = (instruction: Pick<Instruction, "semantics">): Flow => traitsOf(instruction).flow;

export const usesFloat = (instruction: Pick<Instruction, "semantics">): boolean => traitsOf(instruction).usesFloat;

export function traitsOf({ semantics }: Pick<Instruction, "semantics">): Traits {
  let traits = known.get(semantics);
  if (traits === undefined) {
    traits = record(semantics);
    known.set(semantics, traits);
  }
  return traits;
}

function record(semantics: Semantics): Traits {
  let flow: Flow = "next";
  let [usesFloat, usesMemory, mayTrap] = [false, false, false];
  const reads = { x: new Set<FieldName>(), f: new Set<FieldName>() };
  const writes = { x: new Set<FieldName>(), f: new Set<FieldName>() };
  const recorded: Partial<Operations<Known, FieldName>> = {
    x: (field) => {
      reads.x.add(field);
      return "unknown";
    },
    setX: (field) => {
      writes.x.add(field);
    },
    f: (field) => {
      usesFloat = true;
      reads.f.add(field);
      return "unknown";
    },
    setF: (field) => {
      usesFloat = true;
      writes.f.add(field);
    },
    float: () => {
      usesFloat = true;
      return "unknown";
    },
    load: () => {
      usesMemory = true;
      return "unknown";
    },
    store: () => {
      usesMemory = true;
    },
    csr: (_operation, rd) => {
      writes.x.add(rd);
    },
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
    get: (operations, name) => {
      mayTrap ||= trapping.has(name);
      return operations[name as keyof typeof operations] ?? ((): Known => "unknown");
    },
  });
  const fields = Object.fromEntries(fieldNames.map((name) => [name, name])) as unknown as Fields<FieldName>;
  semantics(recorder as Operations<Known, FieldName>, fields);
  const list = ({ x, f }: typeof reads): RegisterFields => ({ x: [...x], f: [...f] });
  return { flow, usesFloat, usesMemory, mayTrap, reads: list(reads), writes: list(writes) };
}
