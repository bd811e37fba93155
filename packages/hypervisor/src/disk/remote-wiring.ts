/** What joins a partition with the thread that serves one of its disks. All of it can be posted to a thread. */
import { type DiskShape, isNbdUrl } from "@bulkhead/devices";
import type { PostedError } from "../host-error.ts";
import type { DiskDescription } from "../partition/description.ts";

/** The partition's side. */
export interface RemoteWiring {
  readonly memory: SharedArrayBuffer;
  readonly shape: DiskShape;
}

/** The serving thread's side. */
export interface ServerWiring {
  readonly disk: DiskDescription;
  readonly memory: SharedArrayBuffer;
  /** The partition's doorbell. */
  readonly doorbell: SharedArrayBuffer;
}

export type DiskThreadMessage =
  | { readonly kind: "opened"; readonly shape: DiskShape }
  | { readonly kind: "warning"; readonly text: string }
  | { readonly kind: "failed"; readonly error: PostedError };

/** A server's answers take time, so its disks always need a thread of their own. */
export const needsThread = ({ path, thread }: DiskDescription): boolean => thread === true || isNbdUrl(path);
