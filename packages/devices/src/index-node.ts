/** Disks and folders of the host: the part of the devices that needs Node. */
export * from "./block/host-file-node.ts";
export * from "./block/nbd/connect-node.ts";
export * from "./block/nbd/disk.ts";
export * from "./block/open-disk-node.ts";
export * from "./block/temporary-file-node.ts";
export { type FolderOptions, HostFolder } from "./share/folder/host-folder-node.ts";
export * from "./vsock/host/unix-sockets-node.ts";
