/**
 * A checked descriptor chain as a device uses it: two cursors, one through the bytes it may read and one through those
 * it may write. Reading and writing never go beyond what the driver lent; asking for more gives less.
 */
import type { GuestMemory } from "@bulkhead/machine";
import type { Segment, Segments } from "./descriptor-walk.ts";

/** A position in a list of segments. */
class Cursor {
  readonly segments: readonly Segment[];
  index = 0;
  /** Bytes of the segment at `index` that are used up. */
  offset = 0;
  left = 0;

  constructor(segments: readonly Segment[]) {
    this.segments = segments;
    for (const { length } of segments) this.left += length;
  }

  /** Moves on by bytes of the segment at `index`. */
  advance(bytes: number): void {
    this.left -= bytes;
    this.offset += bytes;
    if (this.offset < this.segments[this.index].length) return;
    this.index++;
    this.offset = 0;
  }
}

/** Copying so many bytes one by one is faster than making a view for them. */
const FEW = 64;

export class Chain {
  readonly #memory: GuestMemory;
  readonly #readable: Cursor;
  readonly #writable: Cursor;
  readonly #complete: (written: number) => void;
  #written = 0;
  #skipped = false;
  #completed = false;

  constructor(memory: GuestMemory, segments: Segments, complete: (written: number) => void) {
    this.#memory = memory;
    this.#readable = new Cursor(segments.readable);
    this.#writable = new Cursor(segments.writable);
    this.#complete = complete;
  }

  /** Bytes that are left to read. */
  get readable(): number {
    return this.#readable.left;
  }

  /** Bytes that are left to write. */
  get writable(): number {
    return this.#writable.left;
  }

  /** Copies up to `length` bytes out of the guest. */
  read(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(Math.min(length, this.readable));
    this.readInto(bytes);
    return bytes;
  }

  /** Copies bytes out of the guest until `into` is full or nothing is left: cheap for a few, as in a header. */
  readInto(into: Uint8Array): void {
    const cursor = this.#readable;
    for (let at = 0; at < into.length && cursor.left > 0; ) {
      const segment = cursor.segments[cursor.index];
      const bytes = Math.min(into.length - at, segment.length - cursor.offset);
      const from = this.#memory.offsetOf(segment.address + cursor.offset, bytes);
      if (bytes > FEW) into.set(this.#memory.bytes.subarray(from, from + bytes), at);
      else for (let i = 0; i < bytes; i++) into[at + i] = this.#memory.bytes[from + i];
      at += bytes;
      cursor.advance(bytes);
    }
  }

  /** Views of the next up to `length` readable bytes, without a copy. The guest may change them at any time. */
  readViews(length: number): Uint8Array[] {
    return this.#take(this.#readable, length, false);
  }

  /** Copies bytes to the guest. @returns how many there was room for. */
  write(bytes: Uint8Array): number {
    let at = 0;
    for (const view of this.writeViews(bytes.length)) {
      view.set(bytes.subarray(at, at + view.length));
      at += view.length;
    }
    return at;
  }

  /** Views of the next up to `length` writable bytes, which the device is to fill. */
  writeViews(length: number): Uint8Array[] {
    const before = this.writable;
    const views = this.#take(this.#writable, length, true);
    if (!this.#skipped) this.#written += before - this.writable;
    return views;
  }

  /** Copies one byte to the guest, where there is room for it. */
  writeByte(value: number): void {
    const cursor = this.#writable;
    if (cursor.left === 0) return;
    const address = cursor.segments[cursor.index].address + cursor.offset;
    this.#memory.onWrite(address, 1);
    this.#memory.bytes[this.#memory.offsetOf(address, 1)] = value;
    cursor.advance(1);
    if (!this.#skipped) this.#written++;
  }

  /** Leaves up to `length` writable bytes as they are. What is written behind them does not count as used length. */
  skip(length: number): void {
    if (length > 0) this.#skipped = true;
    const cursor = this.#writable;
    for (let left = Math.min(length, cursor.left); left > 0; ) {
      const bytes = Math.min(left, cursor.segments[cursor.index].length - cursor.offset);
      left -= bytes;
      cursor.advance(bytes);
    }
  }

  /** Gives the chain back to the driver. Once only. */
  complete(): void {
    if (this.#completed) throw new Error("a descriptor chain was completed twice");
    this.#completed = true;
    this.#complete(this.#written);
  }

  /** What lies next to each other in memory is one view, so that a request needs few calls of the host. */
  #take(cursor: Cursor, length: number, writing: boolean): Uint8Array[] {
    const views: Uint8Array[] = [];
    for (let wanted = Math.min(length, cursor.left); wanted > 0; ) {
      const start = cursor.segments[cursor.index].address + cursor.offset;
      let end = start;
      while (wanted > 0 && cursor.segments[cursor.index].address + cursor.offset === end) {
        const bytes = Math.min(wanted, cursor.segments[cursor.index].length - cursor.offset);
        end += bytes;
        wanted -= bytes;
        cursor.advance(bytes);
      }
      if (writing) this.#memory.onWrite(start, end - start);
      const from = this.#memory.offsetOf(start, end - start);
      views.push(this.#memory.bytes.subarray(from, from + end - start));
    }
    return views;
  }
}
