/** Disks in files of the host: the part of the devices that needs Node. */
export * from "./block/file-backend-node.ts";
export * from "./block/temporary-file-node.ts";
