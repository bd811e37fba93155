/** Address resolution for IPv4 over Ethernet. @spec RFC 826 */
import { type IpAddress, readMac, writeMac } from "./address.ts";

export const ArpOperation = { request: 1, reply: 2 } as const;
const ARP_BYTES = 28;
/** Ethernet, IPv4, and the lengths of their addresses. */
const PREFIX = [0, 1, 8, 0, 6, 4, 0];

export interface Arp {
  readonly operation: number;
  readonly senderMac: number;
  readonly senderIp: IpAddress;
  readonly targetMac: number;
  readonly targetIp: IpAddress;
}

/** The message in the payload of a frame, or undefined where it is malformed or about other networks. */
export function parseArp(bytes: Uint8Array): Arp | undefined {
  if (bytes.length < ARP_BYTES || !PREFIX.every((byte, i) => bytes[i] === byte)) return undefined;
  return {
    operation: bytes[7],
    senderMac: readMac(bytes, 8),
    senderIp: bytes.slice(14, 18),
    targetMac: readMac(bytes, 18),
    targetIp: bytes.slice(24, 28),
  };
}

export function encodeArp(arp: Arp): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(ARP_BYTES);
  bytes.set(PREFIX);
  bytes[7] = arp.operation;
  writeMac(bytes, 8, arp.senderMac);
  bytes.set(arp.senderIp, 14);
  writeMac(bytes, 18, arp.targetMac);
  bytes.set(arp.targetIp, 24);
  return bytes;
}
