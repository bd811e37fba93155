/** Partitions as every runtime can see them: descriptions, errors and channels. The `node` entry starts them. */
export { LEAST_CID, MOST_CID } from "@bulkhead/devices";
export * from "./channel/channel.ts";
export * from "./channel/doorbell.ts";
export * from "./channel/mailbox.ts";
export * from "./host-error.ts";
export {
  MOST_CPUS,
  MOST_DISKS,
  MOST_MEMORY_MIB,
  MOST_NETWORKS,
  MOST_PORTS,
  MOST_SHARES,
} from "./partition/check-description.ts";
export * from "./partition/description.ts";
export * from "./partition/host-link.ts";
export * from "./partition/host-port.ts";
export * from "./profile/profile.ts";
