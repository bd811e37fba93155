/**
 * One request of a guest and the room for its answer. Who implements it: a descriptor chain, or a slot shared with
 * another thread; who uses it: `FuseSession`.
 */
export interface Exchange {
  /** Bytes that are left to read. */
  readonly readable: number;
  /** Bytes that are left to write. */
  readonly writable: number;
  readInto(into: Uint8Array): void;
  /** The next up to `length` readable bytes in place. The guest may change them at any time. */
  readViews(length: number): Uint8Array[];
  /** The next up to `length` writable bytes in place. */
  writeViews(length: number): Uint8Array[];
}

/** Copies bytes into memory in pieces. */
export function fillViews(views: readonly Uint8Array[], bytes: Uint8Array): void {
  let at = 0;
  for (const view of views) {
    const part = bytes.subarray(at, at + view.length);
    view.set(part);
    at += part.length;
  }
}

/** Makes everything zero behind the first `start` bytes. */
export function clearViews(views: readonly Uint8Array[], start: number): void {
  let at = 0;
  for (const view of views) {
    if (at + view.length > start) view.fill(0, Math.max(0, start - at));
    at += view.length;
  }
}
