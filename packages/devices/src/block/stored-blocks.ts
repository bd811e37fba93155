/** A disk some of whose blocks are stored elsewhere, as in a snapshot. It cannot be written: an overlay stands on it. */
import { type BlockBackend, SECTOR_BYTES } from "./backend.ts";
import { BLOCK_BYTES } from "./overlay.ts";

/** Where blocks of 4096 bytes are that differ from the disk's. */
export interface BlockStore {
  has(block: number): boolean;
  /** Fills a whole block that the store has. */
  load(block: number, into: Uint8Array): void;
}

export class StoredBlocks implements BlockBackend {
  readonly size: number;
  readonly readOnly = true;
  readonly #base: BlockBackend;
  readonly #store: BlockStore;
  readonly #block = new Uint8Array(BLOCK_BYTES);

  constructor(base: BlockBackend, store: BlockStore) {
    this.size = base.size;
    this.#base = base;
    this.#store = store;
  }

  /** Reads runs of blocks that are in the same place in one go. */
  read(offset: number, into: Uint8Array): void {
    for (let at = 0; at < into.length; ) {
      const block = Math.floor((offset + at) / BLOCK_BYTES);
      let end = (block + 1) * BLOCK_BYTES - offset;
      if (this.#store.has(block)) this.#copy(block, offset + at, into.subarray(at, Math.min(end, into.length)));
      else {
        for (let next = block + 1; end < into.length && !this.#store.has(next); next++) end += BLOCK_BYTES;
        this.#base.read(offset + at, into.subarray(at, Math.min(end, into.length)));
      }
      at = end;
    }
  }

  write(offset: number): void {
    throw new Error(`a disk that cannot be written was written at ${offset - (offset % SECTOR_BYTES)}`);
  }

  flush(): void {}

  close(): void {
    this.#base.close?.();
  }

  #copy(block: number, offset: number, into: Uint8Array): void {
    if (into.length === BLOCK_BYTES) this.#store.load(block, into);
    else {
      this.#store.load(block, this.#block);
      const start = offset - block * BLOCK_BYTES;
      into.set(this.#block.subarray(start, start + into.length));
    }
  }
}
