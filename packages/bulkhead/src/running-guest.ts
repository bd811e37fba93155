/** What a run needs of a started guest. `Partition` is one; tests bring their own. */
import type { HostPort } from "@bulkhead/hypervisor";
import type { Partition } from "@bulkhead/hypervisor/node";

export type GuestPort = Pick<HostPort, "read" | "write" | "end"> & AsyncIterable<Uint8Array>;

export type RunningGuest = Pick<Partition, "stopped" | "drain" | "kill"> & {
  readonly console: GuestPort;
  port(name: string): GuestPort;
};
