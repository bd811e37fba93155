/**
 * A checked descriptor chain as a device uses it: two cursors, one through the bytes it may read and one through those
 * it may write. Reading and writing never go beyond what the driver lent; asking for more gives less.
 */
import type { GuestMemory } from "@bulkhead/machine";
import type { Segment, Segments } from "./descriptor-walk.ts";

/** A position in a list of segments. */
interface Cursor {
  readonly segments: readonly Segment[];
  index: number;
  /** Bytes of the segment at `index` that are used up. */
  offset: number;
  left: number;
}

const cursorOf = (segments: readonly Segment[]): Cursor => {
  return { segments, index: 0, offset: 0, left: segments.reduce((sum, segment) => sum + segment.length, 0) };
};

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
    this.#readable = cursorOf(segments.readable);
    this.#writable = cursorOf(segments.writable);
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
    let at = 0;
    for (const view of this.readViews(bytes.length)) {
      bytes.set(view, at);
      at += view.length;
    }
    return bytes;
  }

  /** Views of the next up to `length` readable bytes, without a copy. The guest may change them at any time. */
  readViews(length: number): Uint8Array[] {
    return this.#take(this.#readable, length, (address, bytes) => this.#memory.readable(address, bytes));
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
    const views = this.#take(this.#writable, length, (address, bytes) => this.#memory.writable(address, bytes));
    if (!this.#skipped) this.#written += before - this.writable;
    return views;
  }

  /** Leaves up to `length` writable bytes as they are. What is written behind them does not count as used length. */
  skip(length: number): void {
    if (length > 0) this.#skipped = true;
    this.#take(this.#writable, length, () => undefined);
  }

  /** Gives the chain back to the driver. Once only. */
  complete(): void {
    if (this.#completed) throw new Error("a descriptor chain was completed twice");
    this.#completed = true;
    this.#complete(this.#written);
  }

  #take(
    cursor: Cursor,
    length: number,
    view: (address: number, bytes: number) => Uint8Array | undefined,
  ): Uint8Array[] {
    const views: Uint8Array[] = [];
    let wanted = Math.min(length, cursor.left);
    cursor.left -= wanted;
    while (wanted > 0) {
      const segment = cursor.segments[cursor.index];
      const bytes = Math.min(wanted, segment.length - cursor.offset);
      const taken = view(segment.address + cursor.offset, bytes);
      if (taken !== undefined) views.push(taken);
      wanted -= bytes;
      cursor.offset += bytes;
      if (cursor.offset === segment.length) {
        cursor.index++;
        cursor.offset = 0;
      }
    }
    return views;
  }
}
