/** A disk whose bytes are those of a file. Who calls it: whoever opens disks, and overlays for their upper layer. */
import { type BlockBackend, SECTOR_BYTES } from "./backend.ts";
import { DiskError } from "./disk-error.ts";
import type { ImageFile } from "./image-file.ts";
import { bytesOf, readGathered, writeGathered } from "./pieces.ts";
import { formatOf } from "./probe.ts";

/** A hole is worth a call for it from this size on. */
const LEAST_HOLE = 1024 * 1024;
const BLOCK_BYTES = 4096;
const ZEROS = new Uint8Array(256 * 1024);

export interface RawOptions {
  /**
   * The format was guessed from the content. Then a guest must not write the mark of a format that is followed to the
   * start of the disk: the next guess would follow it, and an image may name any file of the host as its backing file.
   */
  readonly guessed?: boolean;
}

export class RawImage implements BlockBackend {
  readonly readOnly: boolean;
  readonly file: ImageFile;
  readonly #guessed: boolean;
  readonly discard: BlockBackend["discard"];
  #size: number;

  /** Errors: `disk-truncated` if the file does not end with a sector. */
  constructor(file: ImageFile, { guessed = false }: RawOptions = {}) {
    if (file.size === 0 || file.size % SECTOR_BYTES !== 0) {
      const expected = `expected whole sectors of ${SECTOR_BYTES} bytes`;
      throw new DiskError("disk-truncated", `disk ${file.name} is truncated: ${expected}, found ${file.size} bytes`);
    }
    this.file = file;
    this.readOnly = file.readOnly;
    this.#guessed = guessed;
    this.#size = file.size;
    this.discard = file.punch === undefined ? undefined : (offset, length) => void this.#punch(offset, length);
  }

  get size(): number {
    return this.#size;
  }

  read(offset: number, into: Uint8Array): void {
    if (this.file.read(offset, into) < into.length) throw this.#tooShort();
  }

  write(offset: number, from: Uint8Array): void {
    if (offset === 0 && this.#guessed) this.#guard(from);
    this.file.write(offset, from);
  }

  readPieces(offset: number, pieces: readonly Uint8Array[]): void {
    if (this.file.readPieces === undefined) readGathered(this, offset, pieces);
    else if (this.file.readPieces(offset, pieces) < bytesOf(pieces)) throw this.#tooShort();
  }

  writePieces(offset: number, pieces: readonly Uint8Array[]): void {
    if (this.file.writePieces === undefined || (offset === 0 && this.#guessed)) {
      writeGathered(this, offset, pieces);
    } else this.file.writePieces(offset, pieces);
  }

  flush(): void {
    if (!this.readOnly) this.file.flush();
  }

  writeZeroes(offset: number, length: number, unmap: boolean): void {
    const hole = unmap ? this.#punch(offset, length) : undefined;
    if (hole === undefined) {
      this.#writeZeros(offset, offset + length);
      return;
    }
    this.#writeZeros(offset, hole.start);
    this.#writeZeros(hole.end, offset + length);
  }

  /** Follows a change of the file's size, or makes it. Errors: `disk-format` if the disk would become smaller. */
  resize(bytes: number): void {
    if (bytes < this.#size || bytes % SECTOR_BYTES !== 0) {
      throw new DiskError(
        "disk-format",
        `disk ${this.file.name} cannot be resized from ${this.#size} to ${bytes} bytes`,
      );
    }
    if (bytes > this.file.size) this.file.resize(bytes);
    this.#size = bytes;
  }

  /** Makes all writes stable and gives the file up. */
  close(): void {
    try {
      this.flush();
    } finally {
      this.file.close();
    }
  }

  #tooShort(): DiskError {
    return new DiskError("disk-truncated", `disk ${this.file.name} has become shorter than ${this.#size} bytes`);
  }

  /** @returns the bytes that became a hole, if any did. */
  #punch(offset: number, length: number): { start: number; end: number } | undefined {
    const start = Math.ceil(offset / BLOCK_BYTES) * BLOCK_BYTES;
    const end = Math.floor((offset + length) / BLOCK_BYTES) * BLOCK_BYTES;
    if (end - start < LEAST_HOLE || this.file.punch?.(start, end - start) !== true) return undefined;
    return { start, end };
  }

  #writeZeros(from: number, to: number): void {
    for (let at = from; at < to; at += ZEROS.length)
      this.file.write(at, ZEROS.subarray(0, Math.min(ZEROS.length, to - at)));
  }

  #guard(from: Uint8Array): void {
    const format = formatOf(from);
    if (format === "raw" || format.supported === undefined) return;
    throw new DiskError(
      "disk-format",
      `disk ${this.file.name}: the guest may not make it look like ${format.name}; give format=raw to allow that`,
    );
  }
}
