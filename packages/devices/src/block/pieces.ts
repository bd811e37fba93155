/** Moves bytes between a disk and memory in pieces. Who calls it: `perform`, and disks that stand on others. */
import type { BlockBackend } from "./backend.ts";

/** Pieces up to this length are gathered: one call of the host costs more than a copy. */
const SMALL_PIECE = 64 * 1024;
const GATHERED = 1024 * 1024;
const gathered = new Uint8Array(GATHERED);

export const bytesOf = (pieces: readonly Uint8Array[]): number => {
  let bytes = 0;
  for (const { length } of pieces) bytes += length;
  return bytes;
};

/** Reads into pieces in the best way that a disk has. */
export function readPieces(backend: BlockBackend, offset: number, pieces: readonly Uint8Array[]): void {
  if (pieces.length === 1) backend.read(offset, pieces[0]);
  else if (backend.readPieces !== undefined) backend.readPieces(offset, pieces);
  else readGathered(backend, offset, pieces);
}

/** Writes from pieces in the best way that a disk has. */
export function writePieces(backend: BlockBackend, offset: number, pieces: readonly Uint8Array[]): void {
  if (pieces.length === 1) backend.write(offset, pieces[0]);
  else if (backend.writePieces !== undefined) backend.writePieces(offset, pieces);
  else writeGathered(backend, offset, pieces);
}

/** Reads with few calls of `read`. */
export function readGathered(backend: Pick<BlockBackend, "read">, offset: number, pieces: readonly Uint8Array[]): void {
  for (const { first, end, bytes, at } of groups(pieces)) {
    if (end === first + 1) {
      backend.read(offset + at, pieces[first]);
      continue;
    }
    backend.read(offset + at, gathered.subarray(0, bytes));
    for (let i = first, from = 0; i < end; from += pieces[i++].length) {
      pieces[i].set(gathered.subarray(from, from + pieces[i].length));
    }
  }
}

/** Writes with few calls of `write`. */
export function writeGathered(
  backend: Pick<BlockBackend, "write">,
  offset: number,
  pieces: readonly Uint8Array[],
): void {
  for (const { first, end, bytes, at } of groups(pieces)) {
    if (end === first + 1) {
      backend.write(offset + at, pieces[first]);
      continue;
    }
    for (let i = first, to = 0; i < end; to += pieces[i++].length) gathered.set(pieces[i], to);
    backend.write(offset + at, gathered.subarray(0, bytes));
  }
}

/** Splits pieces into groups that are moved at once: `first` to before `end`, `at` bytes behind the start. */
function* groups(pieces: readonly Uint8Array[]): Generator<{ first: number; end: number; bytes: number; at: number }> {
  for (let first = 0, at = 0; first < pieces.length; ) {
    let end = first + 1;
    let bytes = pieces[first].length;
    while (end < pieces.length && pieces[end - 1].length <= SMALL_PIECE && pieces[end].length <= SMALL_PIECE) {
      if (bytes + pieces[end].length > GATHERED) break;
      bytes += pieces[end++].length;
    }
    yield { first, end, bytes, at };
    first = end;
    at += bytes;
  }
}
