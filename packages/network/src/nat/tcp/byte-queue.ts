/** Bytes in the order they came, kept until they are acknowledged and read again wherever they have to be sent again. */
import { type BufferPool, buffers } from "../buffer-pool.ts";

/** A few bytes get a buffer of their own: a thousand connections that say little must not hold a large one each. */
const FEW_BYTES = 4096;

interface Chunk {
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly pooled: boolean;
  used: number;
}

export class ByteQueue {
  readonly #pool: BufferPool;
  readonly #chunks: Chunk[] = [];
  /** Bytes of the first chunk that have been dropped. */
  #skipped = 0;
  #length = 0;

  constructor(pool: BufferPool = buffers) {
    this.#pool = pool;
  }

  get length(): number {
    return this.#length;
  }

  /** Takes a copy of bytes. */
  append(bytes: Uint8Array): void {
    this.#length += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      const chunk = this.#roomFor(bytes.length - at);
      const part = bytes.subarray(at, at + chunk.buffer.length - chunk.used);
      chunk.buffer.set(part, chunk.used);
      chunk.used += part.length;
      at += part.length;
    }
  }

  /** Views of up to `length` bytes from `offset` on, which hold until the bytes are dropped. */
  views(offset: number, length: number): Uint8Array[] {
    const views: Uint8Array[] = [];
    let skip = offset + this.#skipped;
    let left = Math.min(length, this.#length - offset);
    for (let i = 0; left > 0; i++) {
      const { buffer, used } = this.#chunks[i];
      if (skip >= used) {
        skip -= used;
        continue;
      }
      const view = buffer.subarray(skip, Math.min(used, skip + left));
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
    while (done < this.#chunks.length && this.#skipped >= this.#chunks[done].used) {
      this.#skipped -= this.#chunks[done].used;
      done++;
    }
    this.#release(done);
  }

  clear(): void {
    this.#release(this.#chunks.length);
    this.#skipped = 0;
    this.#length = 0;
  }

  /** The last chunk if it has room, else one more. */
  #roomFor(bytes: number): Chunk {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.used < last.buffer.length) return last;
    const pooled = last !== undefined || bytes > FEW_BYTES;
    const chunk = { buffer: pooled ? this.#pool.take() : new Uint8Array(FEW_BYTES), pooled, used: 0 };
    this.#chunks.push(chunk);
    return chunk;
  }

  #release(count: number): void {
    if (count === 0) return;
    for (const { buffer, pooled } of this.#chunks.splice(0, count)) if (pooled) this.#pool.give(buffer);
  }
}
