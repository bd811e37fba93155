/**
 * A random program as a tree: straight code, and the ways of leaving it. Branch targets are bodies, not addresses, so any
 * part can be cut out and the rest still stands; `assemble.ts` gives it addresses.
 */
import type { CompressedInstruction, Fields, Instruction } from "@bulkhead/isa";

/** One instruction in the form in which it is written, with its operands. */
export interface Operation {
  readonly form: Instruction | CompressedInstruction;
  readonly fields: Partial<Fields<number>>;
}

/** Instructions that belong together, such as an address and the access to it. */
export interface Straight {
  readonly kind: "straight";
  readonly operations: readonly Operation[];
}

/** A branch or jump over its body; the immediate is set when it is assembled. */
export interface Skip {
  readonly kind: "skip";
  readonly branch: Operation;
  readonly body: readonly Item[];
}

/** An indirect jump over its body: `via` and the immediate of `jump` make the target's address; its bit 0 is ignored. */
export interface Leap {
  readonly kind: "leap";
  readonly via: number;
  readonly jump: Operation;
  readonly body: readonly Item[];
}

/** Runs its body `times` times; nothing in the body writes `counter`. */
export interface Loop {
  readonly kind: "loop";
  readonly counter: number;
  readonly times: number;
  readonly body: readonly Item[];
}

/** Calls its body as a subroutine, which returns through `link`; nothing in the body writes `link`. */
export interface Call {
  readonly kind: "call";
  readonly link: number;
  readonly body: readonly Item[];
}

/**
 * Self-modifying code: writes `after` over `before`, both four bytes long, and executes FENCE.I.
 * The place that is written is in front of the store (and changes a loop's next round) or behind it.
 */
export interface Patch {
  readonly kind: "patch";
  readonly place: "front" | "behind";
  readonly before: Operation;
  readonly after: Operation;
  readonly word: number;
  readonly address: number;
}

export type Item = Straight | Skip | Leap | Loop | Call | Patch;

/** The state in which a program starts. Register values are 64 bits, unsigned. */
export interface InitialState {
  /** `x[0]` and the base register's value are ignored. */
  readonly x: readonly bigint[];
  readonly f: readonly bigint[];
  /** Flags and a valid rounding mode. */
  readonly fcsr: number;
  /** Contents of the scratch memory in doublewords. */
  readonly scratch: readonly bigint[];
}

export interface Program {
  /** What to say when it fails: the seed that makes it again. */
  readonly name: string;
  /** The register that holds the address of the middle of the scratch memory throughout. */
  readonly base: number;
  readonly items: readonly Item[];
  readonly initial: InitialState;
}

/** Bytes of scratch memory on each side of the address in the base register, where a page begins. */
export const SCRATCH_REACH = 512;
