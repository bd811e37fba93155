/** A disk that fails when a test wants it to. */
import type { BlockBackend } from "../block/backend.ts";

export interface Fault {
  /** The error's code, as the host's file system would give it. */
  readonly code: "EIO" | "ENOSPC";
  /** Which request fails; the first that matches. Bytes are counted over all writes. */
  readonly when: (request: { readonly kind: string; readonly offset: number; readonly written: number }) => boolean;
  /** Bytes of a write that arrive all the same. */
  readonly partial?: number;
}

/** Wraps a disk; `faults` may be changed while it is used. */
export class FaultyBackend implements BlockBackend {
  faults: Fault[] = [];
  readonly #disk: BlockBackend;
  #written = 0;

  constructor(disk: BlockBackend) {
    this.#disk = disk;
  }

  get size(): number {
    return this.#disk.size;
  }

  get readOnly(): boolean {
    return this.#disk.readOnly;
  }

  read(offset: number, into: Uint8Array): void {
    this.#check("read", offset);
    this.#disk.read(offset, into);
  }

  write(offset: number, from: Uint8Array): void {
    this.#written += from.length;
    this.#check("write", offset, (partial) => this.#disk.write(offset, from.subarray(0, partial)));
    this.#disk.write(offset, from);
  }

  flush(): void {
    this.#check("flush", 0);
    this.#disk.flush();
  }

  discard(offset: number, length: number): void {
    this.#check("discard", offset);
    this.#disk.discard?.(offset, length);
  }

  writeZeroes(offset: number, length: number, unmap: boolean): void {
    this.#check("writeZeroes", offset);
    this.#disk.writeZeroes?.(offset, length, unmap);
  }

  close(): void {
    this.#disk.close?.();
  }

  #check(kind: string, offset: number, arrive: (partial: number) => void = () => {}): void {
    const fault = this.faults.find(({ when }) => when({ kind, offset, written: this.#written }));
    if (fault === undefined) return;
    if (fault.partial !== undefined) arrive(fault.partial);
    throw Object.assign(new Error(`${fault.code}: injected`), { code: fault.code });
  }
}
