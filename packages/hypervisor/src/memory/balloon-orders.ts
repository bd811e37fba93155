/**
 * What a partition's owner wants of the guest's balloon, and what the guest says about its memory: a few words shared by the
 * owner and the partition's thread.
 */
import { BALLOON_PAGE, type MemoryStatistics, statisticNames } from "@bulkhead/devices";

const Word = { target: 0, actual: 1, asked: 2, answered: 3, words: 4 } as const;
const WORDS_BYTES = Word.words * 4;

export const balloonMemory = (): SharedArrayBuffer => new SharedArrayBuffer(WORDS_BYTES + statisticNames.length * 8);

export class BalloonOrders {
  readonly #words: Int32Array;
  /** By the order of `statisticNames`; NaN where the guest says nothing. */
  readonly #statistics: Float64Array;
  #seen = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, Word.words);
    this.#statistics = new Float64Array(memory, WORDS_BYTES);
  }

  /** How many bytes shall be in the balloon; whole pages. */
  get target(): number {
    return Atomics.load(this.#words, Word.target) * BALLOON_PAGE;
  }

  set target(bytes: number) {
    Atomics.store(this.#words, Word.target, Math.floor(bytes / BALLOON_PAGE));
  }

  /** How many are. */
  get actual(): number {
    return Atomics.load(this.#words, Word.actual) * BALLOON_PAGE;
  }

  set actual(bytes: number) {
    Atomics.store(this.#words, Word.actual, bytes / BALLOON_PAGE);
  }

  /** The owner's side: asks for statistics. @returns what tells whether they are there, and reads them. */
  ask(): () => MemoryStatistics | undefined {
    const number = Atomics.add(this.#words, Word.asked, 1) + 1;
    return () => (Atomics.load(this.#words, Word.answered) - number >= 0 ? this.#read() : undefined);
  }

  /** The thread's side: whether statistics were asked for since the last call. */
  takeQuestion(): boolean {
    const asked = Atomics.load(this.#words, Word.asked);
    if (asked === this.#seen) return false;
    this.#seen = asked;
    return true;
  }

  answer(statistics: MemoryStatistics): void {
    for (const [i, name] of statisticNames.entries()) this.#statistics[i] = statistics[name] ?? Number.NaN;
    Atomics.store(this.#words, Word.answered, this.#seen);
  }

  #read(): MemoryStatistics {
    const known = statisticNames.map((name, i) => [name, this.#statistics[i]] as const);
    return Object.fromEntries(known.filter(([, value]) => !Number.isNaN(value)));
  }
}
