/** How a block request ended. @spec virtio "Block Device" "Device Operation" */
export const BlockStatus = { ok: 0, ioError: 1, unsupported: 2 } as const;
