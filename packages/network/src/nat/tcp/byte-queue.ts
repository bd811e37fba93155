/** Bytes in the order they came, kept until they are acknowledged and read again wherever they have to be sent again. */

/** Smaller chunks are copied together: a queue of single bytes must not be a list of thousands. */
const SMALL_BYTES = 4096;
const JOINED_BYTES = 16384;

export class ByteQueue {
  #chunks: Uint8Array[] = [];
  /** Bytes of the first chunk that have been dropped. */
  #skipped = 0;
  #length = 0;
  /** Room behind the last chunk, where that is one that small ones are copied into. */
  #tail: Uint8Array | undefined;

  get length(): number {
    return this.#length;
  }

  /** Takes a chunk over; it must not be changed any more. */
  append(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#length += chunk.length;
    if (chunk.length >= SMALL_BYTES) {
      this.#chunks.push(chunk);
      this.#tail = undefined;
    } else this.#join(chunk);
  }

  /** Views of up to `length` bytes from `offset` on. */
  views(offset: number, length: number): Uint8Array[] {
    const views: Uint8Array[] = [];
    let skip = offset + this.#skipped;
    let left = Math.min(length, this.#length - offset);
    for (let i = 0; left > 0; i++) {
      const chunk = this.#chunks[i];
      if (skip >= chunk.length) {
        skip -= chunk.length;
        continue;
      }
      const view = chunk.subarray(skip, skip + left);
      views.push(view);
      left -= view.length;
      skip = 0;
    }
    return views;
  }

  /** Drops bytes from the front. */
  drop(count: number): void {
    this.#length -= count;
    this.#skipped += count;
    let done = 0;
    while (done < this.#chunks.length && this.#skipped >= this.#chunks[done].length) {
      this.#skipped -= this.#chunks[done].length;
      done++;
    }
    if (done > 0) this.#chunks.splice(0, done);
    if (this.#chunks.length === 0) this.#tail = undefined;
  }

  clear(): void {
    this.#chunks = [];
    this.#skipped = 0;
    this.#length = 0;
    this.#tail = undefined;
  }

  #join(chunk: Uint8Array): void {
    const last = this.#chunks.at(-1);
    const used = last?.length ?? 0;
    if (last === undefined || this.#tail === undefined || used + chunk.length > JOINED_BYTES) {
      this.#tail = new Uint8Array(JOINED_BYTES);
      this.#tail.set(chunk);
      this.#chunks.push(this.#tail.subarray(0, chunk.length));
      return;
    }
    this.#tail.set(chunk, used);
    this.#chunks[this.#chunks.length - 1] = this.#tail.subarray(0, used + chunk.length);
  }
}
