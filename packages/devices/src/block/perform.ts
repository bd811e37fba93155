/** Performs requests on a disk that is used synchronously. Who calls it: `Block`, and threads that serve disks. */
import type { BlockBackend } from "./backend.ts";
import { readPieces, writePieces } from "./pieces.ts";
import type { DiskRequest } from "./request.ts";

const ZEROS = new Uint8Array(64 * 1024);

/** Errors: those of the backend. */
export function perform(backend: BlockBackend, request: DiskRequest): void {
  if (request.kind === "flush") backend.flush();
  else if (request.kind === "discard") backend.discard?.(request.offset, request.length);
  else if (request.kind === "writeZeroes") writeZeroes(backend, request.offset, request.length, request.unmap);
  else if (request.kind === "read") readPieces(backend, request.offset, request.pieces);
  else writePieces(backend, request.offset, request.pieces);
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
