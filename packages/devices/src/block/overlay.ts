/**
 * Copy-on-write: reads come from a base until the guest writes, writes go to an upper layer. The base never changes.
 * Who calls it: runs that must leave a disk image as it was.
 */
import type { BlockBackend } from "./backend.ts";
import { bytesOf, readGathered, readPieces, writePieces } from "./pieces.ts";

/** The unit of copying: what a guest's file system writes at a time. */
export const BLOCK_BYTES = 4096;

/** Where a block's content is. */
const Place = { base: 0, upper: 1, zero: 2 } as const;

export class Overlay implements BlockBackend {
  readonly size: number;
  readonly readOnly = false;
  readonly #base: BlockBackend;
  readonly #upper: BlockBackend;
  /** A `Place` of two bits per block. */
  readonly #places: Uint8Array;

  /** @param upper a writable backend of at least the base's size, at the same offsets; its content does not matter. */
  constructor(base: BlockBackend, upper: BlockBackend) {
    if (upper.readOnly || upper.size < base.size)
      throw new Error("an overlay needs a writable layer as large as its base");
    this.size = base.size;
    this.#base = base;
    this.#upper = upper;
    this.#places = new Uint8Array(Math.ceil(base.size / BLOCK_BYTES / 4));
  }

  /** Reads runs of blocks that are in the same place in one go. */
  read(offset: number, into: Uint8Array): void {
    for (let at = 0; at < into.length; ) {
      const place = this.#placeOf(offset + at);
      let end = at;
      while (end < into.length && this.#placeOf(offset + end) === place) end = this.#blockEnd(offset + end) - offset;
      end = Math.min(end, into.length);
      if (place === Place.zero) into.fill(0, at, end);
      else (place === Place.upper ? this.#upper : this.#base).read(offset + at, into.subarray(at, end));
      at = end;
    }
  }

  write(offset: number, from: Uint8Array): void {
    if (from.length === 0) return;
    const end = offset + from.length;
    this.#fill(offset);
    this.#fill(end);
    this.#upper.write(offset, from);
    for (let at = offset; at < end; at = this.#blockEnd(at)) this.#place(at, Place.upper);
  }

  readPieces(offset: number, pieces: readonly Uint8Array[]): void {
    const layer = this.#layerOf(offset, bytesOf(pieces));
    if (layer === undefined) readGathered(this, offset, pieces);
    else readPieces(layer, offset, pieces);
  }

  writePieces(offset: number, pieces: readonly Uint8Array[]): void {
    const end = offset + bytesOf(pieces);
    if (end === offset) return;
    this.#fill(offset);
    this.#fill(end);
    writePieces(this.#upper, offset, pieces);
    for (let at = offset; at < end; at = this.#blockEnd(at)) this.#place(at, Place.upper);
  }

  /** Nothing of an overlay outlives the run, so there is nothing to make stable. */
  flush(): void {}

  discard(offset: number, length: number): void {
    const start = Math.ceil(offset / BLOCK_BYTES) * BLOCK_BYTES;
    const end = this.#lastBoundary(offset + length);
    for (let at = start; at < end; at += BLOCK_BYTES) this.#place(at, Place.zero);
    if (start < end) this.#upper.discard?.(start, end - start);
  }

  writeZeroes(offset: number, length: number): void {
    const start = Math.min(Math.ceil(offset / BLOCK_BYTES) * BLOCK_BYTES, offset + length);
    const end = Math.max(start, this.#lastBoundary(offset + length));
    this.write(offset, new Uint8Array(start - offset));
    this.write(end, new Uint8Array(offset + length - end));
    this.discard(start, end - start);
  }

  /** Numbers of the blocks that differ from the base: those in the upper layer, and those that are zero. */
  changed(): { written: number[]; zero: number[] } {
    const written: number[] = [];
    const zero: number[] = [];
    for (const [group, places] of this.#places.entries()) {
      for (let i = 0; i < 4 && places >> (2 * i) !== 0; i++) {
        const place = (places >> (2 * i)) & 3;
        if (place === Place.upper) written.push(group * 4 + i);
        else if (place === Place.zero) zero.push(group * 4 + i);
      }
    }
    return { written, zero };
  }

  /** Closes both layers; what was written is gone. */
  close(): void {
    this.#upper.close?.();
    this.#base.close?.();
  }

  /** Brings the block around an edge of a write to the upper layer, unless the edge is a block's too. */
  #fill(edge: number): void {
    if (edge % BLOCK_BYTES === 0 || this.#placeOf(edge) === Place.upper) return;
    const start = edge - (edge % BLOCK_BYTES);
    const block = new Uint8Array(Math.min(BLOCK_BYTES, this.size - start));
    if (this.#placeOf(start) === Place.base) this.#base.read(start, block);
    this.#upper.write(start, block);
    this.#place(start, Place.upper);
  }

  /** The layer that has all of some bytes, if one has. */
  #layerOf(offset: number, length: number): BlockBackend | undefined {
    const place = this.#placeOf(offset);
    if (place === Place.zero) return undefined;
    for (let at = offset; at < offset + length; at = this.#blockEnd(at)) {
      if (this.#placeOf(at) !== place) return undefined;
    }
    return place === Place.upper ? this.#upper : this.#base;
  }

  #blockEnd(offset: number): number {
    return offset - (offset % BLOCK_BYTES) + BLOCK_BYTES;
  }

  /** The last block of a disk may be cut off by its end. */
  #lastBoundary(end: number): number {
    return end === this.size ? end : end - (end % BLOCK_BYTES);
  }

  #placeOf(offset: number): number {
    const block = Math.floor(offset / BLOCK_BYTES);
    return (this.#places[block >> 2] >> ((block & 3) * 2)) & 3;
  }

  #place(offset: number, place: number): void {
    const block = Math.floor(offset / BLOCK_BYTES);
    const shift = (block & 3) * 2;
    this.#places[block >> 2] = (this.#places[block >> 2] & ~(3 << shift)) | (place << shift);
  }
}
