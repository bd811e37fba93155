/** The SDK: partitions and images for programs, as the CLI uses them. */
export { ensureImage, type Image, ImageError, listImages, removeImage } from "@bulkhead/guests";
export { HostError, type HostErrorCode, type PartitionDescription, type Stopped } from "@bulkhead/hypervisor";
export { Partition, type PartitionEvents } from "@bulkhead/hypervisor/node";
export { buildMachine } from "./build-machine.ts";
export { ControlReader, controlLine, ports } from "./control.ts";
