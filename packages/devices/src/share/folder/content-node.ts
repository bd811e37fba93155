/** Content of files, between descriptors of the host and memory in pieces. */
import { readSync, readvSync, writeSync, writevSync } from "node:fs";

/** @returns bytes read: fewer than there is room for at the end of the file only. */
export function readContent(descriptor: number, offset: number, into: readonly Uint8Array[]): number {
  const wanted = into.reduce((sum, view) => sum + view.length, 0);
  let done =
    into.length === 1 ? readSync(descriptor, into[0], 0, wanted, offset) : readPieces(descriptor, into, offset);
  while (done < wanted) {
    const more = readPieces(descriptor, piecesFrom(into, done), offset + done);
    if (more === 0) break;
    done += more;
  }
  return done;
}

/** @param offset null writes where the descriptor says, which may be the end. @returns bytes written. */
export function writeContent(descriptor: number, offset: number | null, from: readonly Uint8Array[]): number {
  if (from.length === 0) return 0;
  if (from.length === 1) return writeSync(descriptor, from[0], 0, from[0].length, offset);
  return writevSync(descriptor, from as Uint8Array[], offset ?? undefined);
}

const readPieces = (descriptor: number, into: readonly Uint8Array[], offset: number): number =>
  into.length === 0 ? 0 : readvSync(descriptor, into as Uint8Array[], offset);

/** What is left of memory in pieces behind its first bytes. */
function piecesFrom(pieces: readonly Uint8Array[], start: number): Uint8Array[] {
  const left: Uint8Array[] = [];
  let at = 0;
  for (const piece of pieces) {
    if (at + piece.length > start) left.push(piece.subarray(Math.max(0, start - at)));
    at += piece.length;
  }
  return left;
}
