/** What connects the thread of a profiler with the partition that it watches and with the partition's owner. */
import type { GuestImage } from "@bulkhead/machine";

/** What the profiler's thread is to do; one word in shared memory. The partition starts when sampling has begun. */
export const ProfileOrder = { wait: 0, sample: 1, stop: 2 } as const;

export interface SamplerWiring {
  readonly image: GuestImage;
  readonly intervalMs: number;
  /** One word: a `ProfileOrder`. */
  readonly order: SharedArrayBuffer;
}
