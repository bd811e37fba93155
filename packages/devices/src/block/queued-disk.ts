/** A disk that answers later. Who implements it: `RemoteDisk`, whose disk is in another thread; who calls it: `Block`. */
import type { DiskRequest, DiskShape } from "./request.ts";

export interface QueuedDisk extends DiskShape {
  /** Starts a request. Requests that are under way together may be served in any order. */
  submit(request: DiskRequest, done: (error: unknown) => void): void;
  /** Calls `done` for each request that has ended: with undefined, or with what went wrong. */
  poll(): void;
  /** Forgets all requests that are under way: `done` is not called for them, and memory of theirs is not touched. */
  forget(): void;
  /** Makes the disk larger; `size` has changed when `done` is called without an error. */
  resize(bytes: number, done: (error: unknown) => void): void;
  close(): void;
}
