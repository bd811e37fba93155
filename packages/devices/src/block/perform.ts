/** Performs requests on a disk that is used synchronously. Who calls it: `Block`, and threads that serve disks. */
import type { BlockBackend } from "./backend.ts";
import type { DiskRequest } from "./request.ts";

const ZEROS = new Uint8Array(64 * 1024);
/** Pieces up to this length are gathered: one call of the host costs more than a copy. */
const SMALL_PIECE = 64 * 1024;
const GATHERED = 1024 * 1024;
const gathered = new Uint8Array(GATHERED);

/** Errors: those of the backend. */
export function perform(backend: BlockBackend, request: DiskRequest): void {
  if (request.kind === "flush") backend.flush();
  else if (request.kind === "discard") backend.discard?.(request.offset, request.length);
  else if (request.kind === "writeZeroes") writeZeroes(backend, request.offset, request.length, request.unmap);
  else if (request.kind === "read") read(backend, request.offset, request.pieces);
  else write(backend, request.offset, request.pieces);
}

function read(backend: BlockBackend, offset: number, pieces: readonly Uint8Array[]): void {
  if (pieces.length === 1) {
    backend.read(offset, pieces[0]);
    return;
  }
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

function write(backend: BlockBackend, offset: number, pieces: readonly Uint8Array[]): void {
  if (pieces.length === 1) {
    backend.write(offset, pieces[0]);
    return;
  }
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

function writeZeroes(backend: BlockBackend, offset: number, length: number, unmap: boolean): void {
  if (backend.writeZeroes !== undefined) {
    backend.writeZeroes(offset, length, unmap);
    return;
  }
  for (let done = 0; done < length; done += ZEROS.length) {
    backend.write(offset + done, ZEROS.subarray(0, Math.min(ZEROS.length, length - done)));
  }
}
