/**
 * What is known of an instruction wherever it stands, kept for the words met last: most code is made of few different ones.
 * Who calls it: what reads guest code for translation.
 */
import { type Decoded, decode, type Fields, type RegisterFields, type Traits, traitsOf } from "@bulkhead/isa";
import type { RegisterSet } from "./register-set.ts";

/**
 * How a block ends with an instruction. `call` links and comes back to its one edge; `return` and `away` (a computed jump,
 * a trap) have no edge; the others go where their edges say: `[next]`, `[target]`, or `[taken, next]` behind a branch.
 */
export type Ending = "next" | "branch" | "jump" | "call" | "return" | "away";

export interface InstructionWord {
  readonly decoded: Decoded;
  readonly traits: Traits;
  readonly ending: Ending;
  readonly reads: RegisterSet;
  readonly writes: RegisterSet;
}

const PLACES = 8192;
const HASH = 0x9e3779b1 | 0;
const words = new Int32Array(PLACES);
const known: (InstructionWord | undefined)[] = new Array(PLACES).fill(undefined);

/** Instructions that only the interpreter executes: they work on registers in memory. */
const untranslated = new Set(["amocas.q"]);

/** What is known of a word, or undefined if it cannot be translated. */
export function instructionWord(word: number): InstructionWord | undefined {
  const place = Math.imul(word, HASH) >>> (32 - Math.log2(PLACES));
  const kept = known[place];
  if (kept !== undefined && words[place] === word) return kept;
  const decoded = decode(word);
  if (decoded === undefined || untranslated.has(decoded.instruction.name)) return undefined;
  const traits = traitsOf(decoded.instruction);
  const found = {
    decoded,
    traits,
    ending: endingOf(decoded, traits),
    reads: registers(decoded, traits.reads),
    writes: registers(decoded, traits.writes),
  };
  words[place] = word;
  known[place] = found;
  return found;
}

/** Operations that always trap or leave for elsewhere. */
const leaving = new Set(["ecall", "ebreak", "mret", "sret", "wfi", "fence.i"]);
/** Registers that hold return addresses. @spec unprivileged "Unconditional Jumps" */
const isLink = (register: number): boolean => register === 1 || register === 5;

function endingOf({ instruction, rd, rs1 }: Decoded, { flow }: Traits): Ending {
  switch (flow) {
    case "branch":
      return "branch";
    case "jump":
      return isLink(rd) ? "call" : "jump";
    case "indirect":
      if (isLink(rd)) return "call";
      return isLink(rs1) ? "return" : "away";
    case "system":
      return leaving.has(instruction.name) ? "away" : "next";
    default:
      return "next";
  }
}

function registers(operands: Fields<number>, fields: RegisterFields): RegisterSet {
  let [x, f] = [0, 0];
  for (const field of fields.x) x |= 1 << operands[field];
  for (const field of fields.f) f |= 1 << operands[field];
  return { x: x & ~1, f };
}
