/** An open snapshot, as plain data that can be posted to the threads that load its pages. */
import type { SnapshotMeta } from "./format.ts";

/** One file of a snapshot as its pages are read. */
export interface Layer {
  readonly path: string;
  /** The open file, for all threads of the process, until the snapshot is closed. */
  readonly descriptor: number;
  /** For each chunk: where it is (a number of bytes in two words), its bytes and its checksum. */
  readonly table: Uint32Array;
}

export interface Snapshot {
  readonly path: string;
  readonly meta: SnapshotMeta;
  /** This file, then its ancestors. */
  readonly layers: readonly Layer[];
  /** In the order of `meta.spaces`, in shared memory. */
  readonly indices: readonly Uint32Array[];
}
