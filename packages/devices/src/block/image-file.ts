/** The file under an image. Who implements it: files of the host, and memory in tests; who calls it: image formats. */
import { DiskError } from "./disk-error.ts";

/** Bytes that can be read, written and grown, used synchronously. A throw is an I/O error. */
export interface ImageFile {
  /** What messages call it. */
  readonly name: string;
  /** Bytes now. */
  readonly size: number;
  readonly readOnly: boolean;
  /** @returns how many bytes there were; fewer than asked for only at the end of the file. */
  read(offset: number, into: Uint8Array): number;
  /** Writes all of `from`, beyond the end too: what lies between reads as zeros. */
  write(offset: number, from: Uint8Array): void;
  /** `read` and `write` for memory in pieces, where one call does for all of them. Both or neither. */
  readPieces?(offset: number, pieces: readonly Uint8Array[]): number;
  writePieces?(offset: number, pieces: readonly Uint8Array[]): void;
  /** Returns when all that was written is on stable storage. */
  flush(): void;
  /** Cuts the file, or lets it end with zeros. */
  resize(bytes: number): void;
  /** Gives the space of a range back; it reads as zeros then. @returns false if nothing was changed. */
  punch?(offset: number, length: number): boolean;
  close(): void;
}

/** Bytes of a file. Errors: `disk-truncated` if it ends before them. */
export function readWhole(file: ImageFile, offset: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  const found = file.read(offset, bytes);
  if (found === length) return bytes;
  throw new DiskError(
    "disk-truncated",
    `disk ${file.name} is truncated: expected ${length} bytes at ${offset}, found ${found}`,
  );
}

/** Bytes of a file, zeros where it has ended before them. */
export function readPadded(file: ImageFile, offset: number, into: Uint8Array): void {
  into.fill(0, file.read(offset, into));
}
