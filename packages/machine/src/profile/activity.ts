/**
 * What a hart's thread is doing: one word in the hart's state, written where tiers switch and read from another thread
 * by a sampling profiler. Nothing writes it unless a profile is taken.
 */
import { HartState, hartBase } from "../hart/layout.ts";
import type { GuestMemory } from "../memory.ts";

/** `off`: not on a thread, because it waits, is stopped, or another hart has its turn. */
export const Activity = {
  off: 0,
  interpreter: 1,
  translated: 2,
  /** Translating guest code and compiling it, on the hart's own thread. */
  compile: 3,
  /** Translation of addresses behind a TLB miss. */
  refill: 4,
  /** Traps, CSRs, system instructions, SBI calls: all that takes a hart out of its code. */
  exit: 5,
  /** Registers of devices and the work of their backends. */
  device: 6,
} as const;

export type Activity = (typeof Activity)[keyof typeof Activity];

/** The word of one hart. */
export class ActivityWord {
  readonly #words: Int32Array;
  readonly #index: number;

  constructor(memory: Pick<GuestMemory, "words">, hart: number) {
    this.#words = memory.words;
    this.#index = (hartBase(hart) + HartState.activity) / 4;
  }

  get current(): number {
    return this.#words[this.#index];
  }

  set(activity: number): void {
    this.#words[this.#index] = activity;
  }

  /** Says `activity` while `work` runs, then what was said before. */
  during<Result>(activity: Activity, work: () => Result): Result {
    const before = this.current;
    this.set(activity);
    try {
      return work();
    } finally {
      this.set(before);
    }
  }
}
