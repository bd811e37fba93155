/** What a partition's owner wants of its thread beside running: to pause, and to hand over its state. Two words of shared memory. */

const Word = { paused: 0, saves: 1, words: 2 } as const;

export const holdMemory = (): SharedArrayBuffer => new SharedArrayBuffer(Word.words * 4);

export class HoldOrder {
  readonly #words: Int32Array;
  #taken = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  get paused(): boolean {
    return Atomics.load(this.#words, Word.paused) !== 0;
  }

  set paused(paused: boolean) {
    Atomics.store(this.#words, Word.paused, paused ? 1 : 0);
  }

  /** The owner's side: wants the state once more. */
  askForState(): void {
    Atomics.add(this.#words, Word.saves, 1);
  }

  /** The thread's side: whether there is anything to do. */
  get pending(): boolean {
    return this.paused || Atomics.load(this.#words, Word.saves) !== this.#taken;
  }

  /** The thread's side: whether the state is wanted once more than it was taken. */
  takeSave(): boolean {
    if (Atomics.load(this.#words, Word.saves) === this.#taken) return false;
    this.#taken = (this.#taken + 1) | 0;
    return true;
  }
}
