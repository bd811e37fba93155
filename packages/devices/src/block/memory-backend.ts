/** A disk in the host's memory: for tests and for disks that need not outlive a run. */
import type { BlockBackend } from "./backend.ts";

export class MemoryBackend implements BlockBackend {
  readonly size: number;
  readonly readOnly: boolean;
  readonly bytes: Uint8Array;

  /** @param bytes the disk's content, used in place. */
  constructor(bytes: Uint8Array, readOnly = false) {
    this.bytes = bytes;
    this.size = bytes.length;
    this.readOnly = readOnly;
  }

  read(offset: number, into: Uint8Array): void {
    into.set(this.bytes.subarray(offset, offset + into.length));
  }

  write(offset: number, from: Uint8Array): void {
    this.bytes.set(from, offset);
  }

  flush(): void {}

  discard(offset: number, length: number): void {
    this.writeZeroes(offset, length);
  }

  writeZeroes(offset: number, length: number): void {
    this.bytes.fill(0, offset, offset + length);
  }
}
