/** Feature bits and configuration space of a memory balloon. @spec virtio "Traditional Memory Balloon Device" */

export const BalloonFeature = {
  statistics: 1n << 1n,
  deflateOnOom: 1n << 2n,
  pagePoison: 1n << 4n,
  reporting: 1n << 5n,
} as const;

/** Pages are counted in 4 KiB, whatever the guest's own are. */
export const BALLOON_PAGE = 4096;

/** Byte offsets of the fields; free page hints, the third word, are not offered. */
export const BalloonField = { target: 0, actual: 4, poison: 12, bytes: 16 } as const;

/** @param target, actual in pages. */
export function balloonConfig(target: number, actual: number, poison: number): Uint8Array<ArrayBuffer> {
  const config = new Uint8Array(BalloonField.bytes);
  const view = new DataView(config.buffer);
  view.setUint32(BalloonField.target, target, true);
  view.setUint32(BalloonField.actual, actual, true);
  view.setUint32(BalloonField.poison, poison, true);
  return config;
}
