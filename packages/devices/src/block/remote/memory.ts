/**
 * The memory that a disk's user and the thread that serves it share: slots with a request and its data, and two rings
 * that say which slots are submitted and which are completed. Counts run freely modulo 2^32; only their owner moves them.
 */

export const SLOTS = 64;
/** Most data of one request in a slot; larger ones are split. */
export const SLOT_BYTES = 64 * 1024;

/** Words of the header. */
export const Word = { submitted: 0, completed: 1, bell: 2, state: 3 } as const;

export const RemoteState = {
  open: 0,
  /** The user makes no more requests. */
  closing: 1,
  /** The server has gone: what is under way will never be completed. */
  failed: 2,
} as const;

/** Words of a slot's record. Offset and length are split into high and low halves; `status` 0 means success. */
export const Record = { kind: 0, offset: 1, length: 3, flags: 5, status: 6, words: 8 } as const;

export const kinds = ["read", "write", "flush", "discard", "writeZeroes", "resize"] as const;
export type RemoteKind = (typeof kinds)[number];
export const UNMAP = 1;

const HEADER_WORDS = 16;
const SUBMITTED_RING = HEADER_WORDS;
const COMPLETED_RING = SUBMITTED_RING + SLOTS;
const RECORDS = COMPLETED_RING + SLOTS;
const DATA = (RECORDS + SLOTS * Record.words) * 4;

/** Makes the memory; it can be posted to another thread. */
export const remoteMemory = (): SharedArrayBuffer => new SharedArrayBuffer(DATA + SLOTS * SLOT_BYTES);

/** The memory as both sides see it. */
export class RemoteView {
  readonly words: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory, 0, DATA / 4);
    this.#bytes = new Uint8Array(memory);
  }

  /** A slot's data. */
  data(slot: number, length: number): Uint8Array {
    const at = DATA + slot * SLOT_BYTES;
    return this.#bytes.subarray(at, at + length);
  }

  record(slot: number): number {
    return RECORDS + slot * Record.words;
  }

  /** Appends a slot to a ring and moves its count, which makes the slot the other side's. */
  push(ring: "submitted" | "completed", slot: number): void {
    const word = ring === "submitted" ? Word.submitted : Word.completed;
    const start = ring === "submitted" ? SUBMITTED_RING : COMPLETED_RING;
    const count = Atomics.load(this.words, word);
    this.words[start + (count & (SLOTS - 1))] = slot;
    Atomics.store(this.words, word, (count + 1) | 0);
  }

  /** The slot that is next behind `taken` ones, or undefined. */
  next(ring: "submitted" | "completed", taken: number): number | undefined {
    const word = ring === "submitted" ? Word.submitted : Word.completed;
    if (Atomics.load(this.words, word) === taken) return undefined;
    const start = ring === "submitted" ? SUBMITTED_RING : COMPLETED_RING;
    return this.words[start + (taken & (SLOTS - 1))] & (SLOTS - 1);
  }

  put64(at: number, value: number): void {
    this.words[at] = Math.floor(value / 2 ** 32);
    this.words[at + 1] = value | 0;
  }

  get64(at: number): number {
    return (this.words[at] >>> 0) * 2 ** 32 + (this.words[at + 1] >>> 0);
  }

  get state(): number {
    return Atomics.load(this.words, Word.state);
  }

  /** States only go forward. */
  setState(state: number): void {
    if (this.state < state) Atomics.store(this.words, Word.state, state);
  }

  /** Wakes the server. */
  ring(): void {
    Atomics.add(this.words, Word.bell, 1);
    Atomics.notify(this.words, Word.bell);
  }
}
