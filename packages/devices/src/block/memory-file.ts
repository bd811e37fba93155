/** An image's file in memory: for tests, and for hosts without files. */
import type { ImageFile } from "./image-file.ts";

export class MemoryFile implements ImageFile {
  readonly name: string;
  readonly readOnly: boolean;
  #bytes: Uint8Array;
  #size: number;

  constructor(bytes = new Uint8Array(0), { name = "memory", readOnly = false } = {}) {
    this.name = name;
    this.readOnly = readOnly;
    this.#bytes = bytes;
    this.#size = bytes.length;
  }

  get size(): number {
    return this.#size;
  }

  /** The content, in place until the file grows. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  read(offset: number, into: Uint8Array): number {
    const found = Math.max(0, Math.min(into.length, this.#size - offset));
    if (found > 0) into.set(this.#bytes.subarray(offset, offset + found));
    return found;
  }

  write(offset: number, from: Uint8Array): void {
    this.#reserve(offset + from.length);
    this.#bytes.set(from, offset);
    this.#size = Math.max(this.#size, offset + from.length);
  }

  readPieces(offset: number, pieces: readonly Uint8Array[]): number {
    let done = 0;
    for (const piece of pieces) done += this.read(offset + done, piece);
    return done;
  }

  writePieces(offset: number, pieces: readonly Uint8Array[]): void {
    let done = 0;
    for (const piece of pieces) {
      this.write(offset + done, piece);
      done += piece.length;
    }
  }

  flush(): void {}

  resize(bytes: number): void {
    this.#reserve(bytes);
    if (bytes < this.#size) this.#bytes.fill(0, bytes, this.#size);
    this.#size = bytes;
  }

  punch(offset: number, length: number): boolean {
    this.#bytes.fill(0, offset, offset + length);
    return true;
  }

  close(): void {}

  #reserve(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(bytes, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
