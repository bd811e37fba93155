/** Partitions under Node: started in threads of this process, with disks in files of this host. */
export { openVsock, type VsockSockets } from "@bulkhead/devices/node";
export * from "./disk/claim-node.ts";
export * from "./partition/partition-node.ts";
export { dismissThreads, prepareThreads } from "./partition/spare-node.ts";
export { checkShare } from "./share/open-share-node.ts";
