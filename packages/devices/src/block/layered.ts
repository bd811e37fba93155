/**
 * A disk that keeps writes aside, in layers: the topmost takes writes, those below never change again and can be saved while
 * the guest goes on. Who calls it: machines whose disks are part of their snapshots.
 */
import type { BlockBackend } from "./backend.ts";
import { Overlay } from "./overlay.ts";
import { readPieces, writePieces } from "./pieces.ts";

export class LayeredDisk implements BlockBackend {
  readonly size: number;
  readonly readOnly = false;
  readonly #newLayer: () => BlockBackend;
  #top: Overlay;
  #upper: BlockBackend;

  /** @param base never changes. @param newLayer makes what a layer's writes go to: writable, and as large as the base. */
  constructor(base: BlockBackend, newLayer: () => BlockBackend) {
    this.size = base.size;
    this.#newLayer = newLayer;
    this.#upper = newLayer();
    this.#top = new Overlay(base, this.#upper);
  }

  /** The layer that took writes until now, and where they are. Errors: those of making a layer, and then all is as it was. */
  freeze(): { layer: Overlay; upper: BlockBackend } {
    const upper = this.#newLayer();
    const frozen = { layer: this.#top, upper: this.#upper };
    this.#top = new Overlay(frozen.layer, upper);
    this.#upper = upper;
    return frozen;
  }

  read(offset: number, into: Uint8Array): void {
    this.#top.read(offset, into);
  }

  write(offset: number, from: Uint8Array): void {
    this.#top.write(offset, from);
  }

  readPieces(offset: number, pieces: readonly Uint8Array[]): void {
    readPieces(this.#top, offset, pieces);
  }

  writePieces(offset: number, pieces: readonly Uint8Array[]): void {
    writePieces(this.#top, offset, pieces);
  }

  /** Nothing of it outlives the run, so there is nothing to make stable. */
  flush(): void {}

  discard(offset: number, length: number): void {
    this.#top.discard(offset, length);
  }

  writeZeroes(offset: number, length: number): void {
    this.#top.writeZeroes(offset, length);
  }

  /** Closes every layer, and the base. */
  close(): void {
    this.#top.close();
  }
}
