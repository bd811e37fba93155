/** Ethernet II headers and 802.1Q tags. */
import { ETHERNET_BYTES, VLAN_TAG_BYTES } from "../frame.ts";
import { readMac, writeMac } from "./address.ts";

export const EtherType = { ip4: 0x0800, arp: 0x0806, vlan: 0x8100, ip6: 0x86dd } as const;

/** Largest number of a VLAN; 0 and 4095 are reserved. @spec IEEE 802.1Q */
export const MOST_VLAN = 4094;

export const destinationOf = (frame: Uint8Array): number => readMac(frame, 0);
export const sourceOf = (frame: Uint8Array): number => readMac(frame, 6);
export const typeOf = (frame: Uint8Array): number => (frame[12] << 8) | frame[13];

/** The VLAN of a tagged frame: 0 for a tag without one, undefined for an untagged frame. */
export function vlanOf(frame: Uint8Array): number | undefined {
  if (typeOf(frame) !== EtherType.vlan || frame.length < ETHERNET_BYTES + VLAN_TAG_BYTES) return undefined;
  return ((frame[14] << 8) | frame[15]) & 0xfff;
}

/** A copy of the start of a frame with a tag put in. */
export function tagged(frame: Uint8Array, vlan: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(frame.length + VLAN_TAG_BYTES);
  bytes.set(frame.subarray(0, 12));
  bytes.set([EtherType.vlan >> 8, EtherType.vlan & 0xff, vlan >> 8, vlan & 0xff], 12);
  bytes.set(frame.subarray(12), 12 + VLAN_TAG_BYTES);
  return bytes;
}

/** A copy of the start of a frame with its tag taken out. */
export function untagged(frame: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(frame.length - VLAN_TAG_BYTES);
  bytes.set(frame.subarray(0, 12));
  bytes.set(frame.subarray(12 + VLAN_TAG_BYTES), 12);
  return bytes;
}

export function writeEthernet(bytes: Uint8Array, destination: number, source: number, type: number): void {
  writeMac(bytes, 0, destination);
  writeMac(bytes, 6, source);
  bytes[12] = type >> 8;
  bytes[13] = type & 0xff;
}
