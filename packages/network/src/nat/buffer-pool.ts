/** Large buffers that are used again: making one for every read and write would keep the garbage collector busy. */

/** Bytes of a buffer: what a socket gives at once, and more than any segment holds. */
export const BUFFER_BYTES = 64 * 1024;
/** Most that are kept while nobody needs them: 8 MiB. */
const MOST_KEPT = 128;

export class BufferPool {
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  /** A buffer with whatever was in it. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(BUFFER_BYTES);
  }

  /** Gives a buffer back that `take` gave and nobody uses any more. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#free.length < MOST_KEPT) this.#free.push(buffer);
  }
}

/** The pool that all connections of a thread share. */
export const buffers = new BufferPool();
