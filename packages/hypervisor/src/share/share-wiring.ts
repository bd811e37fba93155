/** What a thread that serves a shared folder begins with, and what it tells its starter. All of it can be posted. */
import type { PostedError } from "../host-error.ts";
import type { ShareDescription } from "../partition/description.ts";

export interface ShareServerWiring {
  readonly share: ShareDescription;
  /** Of the guest: bounds what it may hold on to. */
  readonly memoryMiB: number;
  /** In common with the device. */
  readonly memory: SharedArrayBuffer;
  /** The partition's doorbell. */
  readonly doorbell: SharedArrayBuffer;
}

export type ShareThreadMessage = { readonly kind: "opened" } | { readonly kind: "failed"; readonly error: PostedError };
