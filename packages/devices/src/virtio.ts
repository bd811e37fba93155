/** Numbers of the virtio 1.2 specification that every device shares. @spec virtio "Basic Facilities of a Virtio Device" */

/** @spec virtio "Device Status Field" */
export const Status = {
  acknowledge: 0x01,
  driver: 0x02,
  driverOk: 0x04,
  featuresOk: 0x08,
  needsReset: 0x40,
  failed: 0x80,
} as const;

/** @spec virtio "Reserved Feature Bits" */
export const Feature = {
  indirectDescriptors: 1n << 28n,
  eventIndex: 1n << 29n,
  version1: 1n << 32n,
} as const;

/** What the transport and the queues offer for every device. */
export const RING_FEATURES = Feature.version1 | Feature.indirectDescriptors | Feature.eventIndex;

/** @spec virtio "The Virtqueue Descriptor Table" */
export const DescriptorFlag = { next: 1, write: 2, indirect: 4 } as const;
export const DESCRIPTOR_BYTES = 16;

/** Bits of InterruptStatus. @spec virtio "MMIO Device Register Layout" */
export const Interrupt = { usedBuffer: 1, configChange: 2 } as const;

/** @spec virtio "Device Types" */
export const DeviceId = {
  none: 0,
  net: 1,
  block: 2,
  console: 3,
  entropy: 4,
  balloon: 5,
  vsock: 19,
  fileSystem: 26,
} as const;
