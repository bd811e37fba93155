/**
 * The memory that a share's device and the thread that serves it have in common: slots with a request and its answer, and
 * two rings that say which slots are submitted and which are completed. Counts run freely modulo 2^32; only their owner
 * moves them.
 */

export const SLOTS = 16;
/** Most bytes of a request, and of an answer: as many as the device takes in a chain. */
export const SLOT_BYTES = 1024 * 1024 + 128 * 1024;

const Word = { submitted: 0, completed: 1, bell: 2, state: 3 } as const;

export const RemoteShareState = {
  open: 0,
  /** The device makes no more requests. */
  closing: 1,
  /** The server has gone: what is under way will never be answered. */
  failed: 2,
} as const;

/** Words of a slot's record; `wrong` is the length of a sentence in the place of the answer, 0 if all is well. */
export const SlotWord = { request: 0, room: 1, answer: 2, wrong: 3, words: 4 } as const;

const HEADER_WORDS = 16;
const RINGS = HEADER_WORDS;
const RECORDS = RINGS + 2 * SLOTS;
const DATA = (RECORDS + SLOTS * SlotWord.words) * 4;

/** Makes the memory; it can be posted to another thread. What is not used of it costs nothing. */
export const remoteShareMemory = (): SharedArrayBuffer => new SharedArrayBuffer(DATA + 2 * SLOTS * SLOT_BYTES);

/** The memory as both sides see it. */
export class SlotMemory {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, DATA / 4);
    this.#bytes = new Uint8Array(memory);
  }

  request(slot: number, length: number): Uint8Array {
    return this.#part(slot, length);
  }

  answer(slot: number, length: number): Uint8Array {
    return this.#part(SLOTS + slot, length);
  }

  get(slot: number, word: number): number {
    return this.#words[RECORDS + slot * SlotWord.words + word];
  }

  set(slot: number, word: number, value: number): void {
    this.#words[RECORDS + slot * SlotWord.words + word] = value;
  }

  /** Appends a slot to a ring and moves its count, which makes the slot the other side's. */
  push(ring: "submitted" | "completed", slot: number): void {
    const count = Atomics.load(this.#words, Word[ring]);
    this.#words[ringAt(ring) + (count & (SLOTS - 1))] = slot;
    Atomics.store(this.#words, Word[ring], (count + 1) | 0);
  }

  /** The slot that is next behind `taken` ones, or undefined. */
  next(ring: "submitted" | "completed", taken: number): number | undefined {
    if (Atomics.load(this.#words, Word[ring]) === taken) return undefined;
    return this.#words[ringAt(ring) + (taken & (SLOTS - 1))] & (SLOTS - 1);
  }

  get state(): number {
    return Atomics.load(this.#words, Word.state);
  }

  /** States only go forward. */
  setState(state: number): void {
    if (this.state < state) Atomics.store(this.#words, Word.state, state);
  }

  get bell(): number {
    return Atomics.load(this.#words, Word.bell);
  }

  /** Wakes the server. */
  ring(): void {
    Atomics.add(this.#words, Word.bell, 1);
    Atomics.notify(this.#words, Word.bell);
  }

  /** Blocks until the bell is not `seen` any more. */
  sleep(seen: number): void {
    Atomics.wait(this.#words, Word.bell, seen);
  }

  #part(index: number, length: number): Uint8Array {
    const at = DATA + index * SLOT_BYTES;
    return this.#bytes.subarray(at, at + Math.min(length, SLOT_BYTES));
  }
}

const ringAt = (ring: "submitted" | "completed"): number => (ring === "submitted" ? RINGS : RINGS + SLOTS);
