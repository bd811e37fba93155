/** virtio devices, their transport, and the disks behind block devices. */
export * from "./block/backend.ts";
export * from "./block/device.ts";
export * from "./block/disk-error.ts";
export * from "./block/memory-backend.ts";
export * from "./block/overlay.ts";
export * from "./chain.ts";
export * from "./console/device.ts";
export * from "./console/ports.ts";
export * from "./entropy/device.ts";
export * from "./mmio-transport.ts";
export * from "./net/backend.ts";
export { LEAST_MTU, MAC_BYTES, MOST_MTU } from "./net/config.ts";
export * from "./net/device.ts";
export * from "./queue.ts";
export * from "./saved-state.ts";
export * from "./virtio.ts";
export * from "./virtio-device.ts";
