/** Refuses descriptions that no machine can be made from, before anything is claimed or started. */
import { LEAST_CID, LEAST_MTU, MOST_CID, MOST_MTU, TAG_BYTES } from "@bulkhead/devices";
import { VIRTIO_SLOTS } from "@bulkhead/machine";
import { HostError } from "../host-error.ts";
import type { PartitionDescription } from "./description.ts";

/** Most memory of a guest: a 32-bit wasm memory less what its harts take. */
export const MOST_MEMORY_MIB = 3584;
export const MOST_CPUS = 8;
export const MOST_DISKS = 16;
export const MOST_NETWORKS = 4;
export const MOST_SHARES = 8;
/** Slots that the console device, the entropy source and the balloon take. */
const OWN_SLOTS = 3;
/** Ports behind port 0, which virtio-console always has. */
export const MOST_PORTS = 30;

/** Errors: `setting-invalid`. */
export function checkDescription({
  memoryMiB,
  balloonMiB = 0,
  cpus,
  disks,
  ports,
  networks = [],
  shares = [],
  vsock,
}: PartitionDescription): void {
  expectWhole("memory in MiB", memoryMiB, 1, MOST_MEMORY_MIB);
  expectWhole("balloon in MiB", balloonMiB, 0, memoryMiB);
  expectWhole("number of CPUs", cpus, 1, MOST_CPUS);
  expectWhole("number of disks", disks.length, 0, MOST_DISKS);
  expectWhole("number of networks", networks.length, 0, MOST_NETWORKS);
  expectWhole("number of shared folders", shares.length, 0, MOST_SHARES);
  for (const { tag } of shares) expectWhole("bytes of a tag", tag.length, 1, TAG_BYTES);
  expectWhole(
    "number of devices",
    disks.length + networks.length + shares.length + (vsock ? 1 : 0) + OWN_SLOTS,
    0,
    VIRTIO_SLOTS,
  );
  for (const { mtu = LEAST_MTU } of networks) expectWhole("MTU", mtu, LEAST_MTU, MOST_MTU);
  if (vsock !== undefined) expectWhole("CID", vsock.cid, LEAST_CID, MOST_CID);
  expectWhole("number of ports", ports.length, 0, MOST_PORTS);
}

function expectWhole(what: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new HostError("setting-invalid", `${what}: expected a whole number from ${least} to ${most}, found ${value}`);
}
