/** What a block device stands on. Who implements it: memory, images and overlays; who calls it: `Block`, images above. */

/** The unit of the guest's addresses and of a backend's size. @spec virtio "Block Device" */
export const SECTOR_BYTES = 512;

/**
 * Bytes of a disk, used synchronously. Offsets and lengths are bytes within `size`; the caller has checked them. A throw
 * is an I/O error that the guest sees as a failed request.
 */
export interface BlockBackend {
  /** Bytes; a multiple of 512. */
  readonly size: number;
  readonly readOnly: boolean;
  /** Fills `into` completely. */
  read(offset: number, into: Uint8Array): void;
  /** Writes all of `from`. */
  write(offset: number, from: Uint8Array): void;
  /** `read` and `write` for memory in pieces, where one call does for all of them. Both or neither. */
  readPieces?(offset: number, pieces: readonly Uint8Array[]): void;
  writePieces?(offset: number, pieces: readonly Uint8Array[]): void;
  /** Returns when all that was written is on stable storage. */
  flush(): void;
  /** The guest does not need these bytes any more; what they read as is undefined. */
  discard?(offset: number, length: number): void;
  /** Makes these bytes zero without being given zeros. @param unmap their space may be given back. */
  writeZeroes?(offset: number, length: number, unmap: boolean): void;
  /** Makes the disk larger; what is added reads as zeros. Errors: `DiskError`, and then its size is as before. */
  resize?(bytes: number): void;
  /** Gives up what the backend holds on the host. */
  close?(): void;
}
