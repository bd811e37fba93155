/** What runs an image here, to be compared with QEMU: the oracle, the interpreter and the JIT each in their own file. */
import type { Image } from "./image.ts";

export interface Executor {
  readonly name: string;
  run(image: Image): Outcome;
}

export interface Outcome {
  /** The programs' data as they left it. */
  readonly data: Uint8Array;
  /** Programs that did not reach their end, and why; `data` says nothing about them. */
  readonly stopped: ReadonlyMap<number, string>;
}

/** Where an execution came to a halt: the address and the reason. */
export interface Halt {
  readonly pc: number;
  readonly reason: string;
}

/**
 * Runs the programs of an image from one to the next. `execute` starts at an address and goes on until the code behind the
 * programs is reached, which it says by `undefined`, or something stops it; then the next program has its turn.
 */
export function runAll(image: Image, execute: (start: number) => Halt | undefined): Map<number, string> {
  const stopped = new Map<number, string>();
  let next = 0;
  while (next < image.programs.length) {
    const halt = execute(image.entries[next]!);
    if (halt === undefined) break;
    const culprit = Math.max(next, programAt(image, halt.pc));
    stopped.set(culprit, `${halt.reason} at 0x${halt.pc.toString(16)}`);
    next = culprit + 1;
  }
  return stopped;
}

const programAt = (image: Image, pc: number): number => image.entries.findLastIndex((entry) => entry <= pc);
