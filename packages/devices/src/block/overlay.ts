/**
 * Copy-on-write: reads come from a base until the guest writes, writes go to an upper layer. The base never changes.
 * Who calls it: runs that must leave a disk image as it was.
 */
import type { BlockBackend } from "./backend.ts";

/** The unit of copying: what a guest's file system writes at a time. */
const BLOCK_BYTES = 4096;

export class Overlay implements BlockBackend {
  readonly size: number;
  readonly readOnly = false;
  readonly #base: BlockBackend;
  readonly #upper: BlockBackend;
  /** One bit per block: whether it is in the upper layer. */
  readonly #present: Uint8Array;

  /** @param upper a writable backend of at least the base's size, at the same offsets; its content does not matter. */
  constructor(base: BlockBackend, upper: BlockBackend) {
    if (upper.readOnly || upper.size < base.size)
      throw new Error("an overlay needs a writable layer as large as its base");
    this.size = base.size;
    this.#base = base;
    this.#upper = upper;
    this.#present = new Uint8Array(Math.ceil(base.size / BLOCK_BYTES / 8));
  }

  /** Reads runs of blocks that are in the same layer in one go. */
  read(offset: number, into: Uint8Array): void {
    let at = 0;
    while (at < into.length) {
      const present = this.#isPresent(offset + at);
      let end = at;
      while (end < into.length && this.#isPresent(offset + end) === present)
        end = this.#blockEnd(offset + end) - offset;
      end = Math.min(end, into.length);
      (present ? this.#upper : this.#base).read(offset + at, into.subarray(at, end));
      at = end;
    }
  }

  write(offset: number, from: Uint8Array): void {
    if (from.length === 0) return;
    const end = offset + from.length;
    this.#fill(offset);
    this.#fill(end);
    this.#upper.write(offset, from);
    for (let at = offset; at < end; at = this.#blockEnd(at)) this.#mark(at);
  }

  /** Nothing of an overlay outlives the run, so there is nothing to make stable. */
  flush(): void {}

  /** Closes both layers; what was written is gone. */
  close(): void {
    this.#upper.close?.();
    this.#base.close?.();
  }

  /** Copies the block around an edge of a write from the base, unless the edge is a block's too or the block is present. */
  #fill(edge: number): void {
    if (edge % BLOCK_BYTES === 0 || this.#isPresent(edge)) return;
    const start = edge - (edge % BLOCK_BYTES);
    const block = new Uint8Array(Math.min(BLOCK_BYTES, this.size - start));
    this.#base.read(start, block);
    this.#upper.write(start, block);
    this.#mark(start);
  }

  #blockEnd(offset: number): number {
    return offset - (offset % BLOCK_BYTES) + BLOCK_BYTES;
  }

  #isPresent(offset: number): boolean {
    const block = Math.floor(offset / BLOCK_BYTES);
    return ((this.#present[block >> 3] >> (block & 7)) & 1) === 1;
  }

  #mark(offset: number): void {
    const block = Math.floor(offset / BLOCK_BYTES);
    this.#present[block >> 3] |= 1 << (block & 7);
  }
}
