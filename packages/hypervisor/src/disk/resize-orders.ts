/**
 * Orders to make disks larger, from a partition's owner to its thread: a few words of shared memory per disk. Only one
 * order per disk is under way at a time.
 */

/** Words of a disk: how many orders were given and answered, the size in two halves, and the length of a complaint. */
const Word = { given: 0, answered: 1, size: 2, complaint: 4, words: 8 } as const;
const COMPLAINT_BYTES = 480;
const DISK_BYTES = Word.words * 4 + COMPLAINT_BYTES;

export const resizeMemory = (disks: number): SharedArrayBuffer => new SharedArrayBuffer(disks * DISK_BYTES);

export class ResizeOrder {
  readonly #words: Int32Array;
  readonly #complaint: Uint8Array;
  #seen = 0;

  constructor(memory: SharedArrayBuffer, disk: number) {
    this.#words = new Int32Array(memory, disk * DISK_BYTES, Word.words);
    this.#complaint = new Uint8Array(memory, disk * DISK_BYTES + Word.words * 4, COMPLAINT_BYTES);
  }

  /** The owner's side. */
  give(bytes: number): void {
    this.#words[Word.size] = Math.floor(bytes / 2 ** 32);
    this.#words[Word.size + 1] = bytes | 0;
    Atomics.add(this.#words, Word.given, 1);
  }

  /** The answer to the last order: a complaint, "" if it was carried out, or undefined if there is none yet. */
  get answer(): string | undefined {
    if (Atomics.load(this.#words, Word.answered) !== Atomics.load(this.#words, Word.given)) return undefined;
    const length = this.#words[Word.complaint];
    return new TextDecoder().decode(this.#complaint.slice(0, length));
  }

  /** The thread's side: the size of an order that was not taken yet. */
  take(): number | undefined {
    const given = Atomics.load(this.#words, Word.given);
    if (given === this.#seen) return undefined;
    this.#seen = given;
    return this.#words[Word.size] * 2 ** 32 + (this.#words[Word.size + 1] >>> 0);
  }

  reply(complaint: string): void {
    const text = new TextEncoder().encode(complaint).subarray(0, COMPLAINT_BYTES);
    this.#complaint.set(text);
    this.#words[Word.complaint] = text.length;
    Atomics.store(this.#words, Word.answered, this.#seen);
  }
}
