/**
 * An Ethernet frame as it travels between devices, switch and uplinks, with the work that its sender left undone: a
 * checksum to fill in, a large TCP segment to cut. The fields are those of virtio's header; a receiver that cannot take
 * them has them done in software (segmentation.ts). @spec virtio "Network Device" "Device Operation"
 */

/** How a large segment is to be cut; the numbers are virtio's. */
export const Segmentation = { none: 0, tcp4: 1, tcp6: 4 } as const;

export interface Offload {
  /** Where the sum that is still missing begins, in bytes of the frame; 0 when the frame's checksums are complete. */
  readonly checksumStart: number;
  /** Where it is to be stored, in bytes behind `checksumStart`. The sum of the pseudo-header is there already. */
  readonly checksumOffset: number;
  /** One of `Segmentation`. */
  readonly segmentation: number;
  /** Bytes of payload in each segment but the last, and bytes of headers; 0 where nothing is to be cut. */
  readonly segmentBytes: number;
  readonly headerBytes: number;
}

export interface Frame {
  /** The frame in one piece or more, without the frame check sequence. The first piece holds at least all headers. */
  readonly parts: readonly Uint8Array[];
  /** Bytes of all parts. */
  readonly length: number;
  readonly offload: Offload;
}

/** What a receiver can do itself. */
export interface Abilities {
  /** Fills in missing checksums, or does without. */
  readonly checksum: boolean;
  readonly tcp4: boolean;
  readonly tcp6: boolean;
}

export const noOffload: Offload = {
  checksumStart: 0,
  checksumOffset: 0,
  segmentation: Segmentation.none,
  segmentBytes: 0,
  headerBytes: 0,
};

export const noAbilities: Abilities = { checksum: false, tcp4: false, tcp6: false };
export const allAbilities: Abilities = { checksum: true, tcp4: true, tcp6: true };

/** Header of Ethernet without a VLAN tag. */
export const ETHERNET_BYTES = 14;
export const VLAN_TAG_BYTES = 4;
/** The largest frame: a 64 KiB packet of IP that is still to be cut, with a VLAN tag. */
export const MAX_FRAME_BYTES = ETHERNET_BYTES + VLAN_TAG_BYTES + 65535;

/** A frame of one piece. */
export const frameOf = (bytes: Uint8Array, offload: Offload = noOffload): Frame => ({
  parts: [bytes],
  length: bytes.length,
  offload,
});

/** The frame's bytes in one piece: its only part itself, or a copy. */
export function frameBytes({ parts, length }: Frame): Uint8Array {
  if (parts.length === 1) return parts[0];
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Whether a receiver with these abilities can take what is left to do. */
export function canTake({ checksum, tcp4, tcp6 }: Abilities, offload: Offload): boolean {
  if (offload.segmentation === Segmentation.tcp4) return checksum && tcp4;
  if (offload.segmentation === Segmentation.tcp6) return checksum && tcp6;
  return offload.segmentation === Segmentation.none && (offload.checksumStart === 0 || checksum);
}
