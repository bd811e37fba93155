/** Partitions: guests in threads of their own, and the channels that reach them. */
export * from "./channel/channel.ts";
export * from "./channel/doorbell.ts";
export * from "./channel/mailbox.ts";
export * from "./disk/claim-node.ts";
export * from "./host-error.ts";
export * from "./partition/description.ts";
export * from "./partition/host-port.ts";
export * from "./partition/partition-node.ts";
