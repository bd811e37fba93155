/** Headers of IPv4 and IPv6. @spec RFC 791, RFC 8200 */
import type { IpAddress } from "./address.ts";
import { checksum } from "./checksum.ts";

export const Protocol = { icmp4: 1, tcp: 6, udp: 17, fragment: 44, icmp6: 58 } as const;

export const IP4_BYTES = 20;
export const IP6_BYTES = 40;
const FRAGMENT_BYTES = 8;
const DO_NOT_FRAGMENT = 0x40;
/** Extension headers that are skipped: hop-by-hop, routing, destination options. @spec RFC 8200 "Extension Headers" */
const skipped: ReadonlySet<number> = new Set([0, 43, 60]);
const MOST_EXTENSIONS = 8;

/** What a piece of a packet says about its place in it. */
export interface Fragment {
  readonly id: number;
  readonly offset: number;
  readonly more: boolean;
}

/** A packet, its payload a view into the frame. */
export interface Packet {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  /** Time to live, or hop limit. */
  readonly hops: number;
  readonly payload: Uint8Array;
  /** The whole packet with its header, as errors quote it. */
  readonly whole: Uint8Array;
  readonly fragment?: Fragment;
}

const word = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1];
const long = (bytes: Uint8Array, at: number): number => word(bytes, at) * 0x1_0000 + word(bytes, at + 2);

/** The packet in the payload of a frame, or undefined where it is malformed. */
export function parseIp4Packet(bytes: Uint8Array): Packet | undefined {
  if (bytes.length < IP4_BYTES || bytes[0] >> 4 !== 4) return undefined;
  const headerBytes = (bytes[0] & 0xf) * 4;
  const length = word(bytes, 2);
  if (headerBytes < IP4_BYTES || length < headerBytes || length > bytes.length) return undefined;
  if (checksum(bytes.subarray(0, headerBytes)) !== 0) return undefined;
  const offset = (word(bytes, 6) & 0x1fff) * 8;
  const more = (bytes[6] & 0x20) !== 0;
  return {
    source: bytes.slice(12, 16),
    destination: bytes.slice(16, 20),
    protocol: bytes[9],
    hops: bytes[8],
    payload: bytes.subarray(headerBytes, length),
    whole: bytes.subarray(0, length),
    ...(more || offset > 0 ? { fragment: { id: word(bytes, 4), offset, more } } : {}),
  };
}

/** The packet in the payload of a frame, behind its extension headers, or undefined where it is malformed. */
export function parseIp6Packet(bytes: Uint8Array): Packet | undefined {
  if (bytes.length < IP6_BYTES || bytes[0] >> 4 !== 6) return undefined;
  const end = IP6_BYTES + word(bytes, 4);
  if (end > bytes.length) return undefined;
  let protocol = bytes[6];
  let at = IP6_BYTES;
  for (let count = 0; skipped.has(protocol); count++) {
    if (count >= MOST_EXTENSIONS || at + 8 > end) return undefined;
    protocol = bytes[at];
    at += 8 + bytes[at + 1] * 8;
  }
  let fragment: Fragment | undefined;
  if (protocol === Protocol.fragment) {
    if (at + FRAGMENT_BYTES > end) return undefined;
    fragment = { id: long(bytes, at + 4), offset: word(bytes, at + 2) & 0xfff8, more: (bytes[at + 3] & 1) !== 0 };
    protocol = bytes[at];
    at += FRAGMENT_BYTES;
  }
  if (at > end) return undefined;
  return {
    source: bytes.slice(8, 24),
    destination: bytes.slice(24, 40),
    protocol,
    hops: bytes[7],
    payload: bytes.subarray(at, end),
    whole: bytes.subarray(0, end),
    ...(fragment === undefined ? {} : { fragment }),
  };
}

/** What a header to be written says. `length` counts the payload's bytes. */
export interface IpHeader {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  readonly hops: number;
  readonly length: number;
  readonly fragment?: Fragment;
}

/** Bytes that `writeIp` will write. */
export const ipHeaderBytes = ({ source, fragment }: Pick<IpHeader, "source" | "fragment">): number =>
  source.length === 4 ? IP4_BYTES : IP6_BYTES + (fragment === undefined ? 0 : FRAGMENT_BYTES);

/** Writes a header at a place in a frame. */
export function writeIp(bytes: Uint8Array, at: number, header: IpHeader): void {
  if (header.source.length === 4) writeIp4(bytes.subarray(at, at + IP4_BYTES), header);
  else writeIp6(bytes.subarray(at), header);
}

function writeIp4(bytes: Uint8Array, { source, destination, protocol, hops, length, fragment }: IpHeader): void {
  const total = IP4_BYTES + length;
  const place = fragment === undefined ? DO_NOT_FRAGMENT << 8 : (fragment.more ? 0x2000 : 0) | (fragment.offset >> 3);
  const id = fragment?.id ?? 0;
  bytes.set([0x45, 0, total >> 8, total & 0xff, (id >> 8) & 0xff, id & 0xff, place >> 8, place & 0xff, hops, protocol]);
  bytes[10] = 0;
  bytes[11] = 0;
  bytes.set(source, 12);
  bytes.set(destination, 16);
  const sum = checksum(bytes);
  bytes[10] = sum >> 8;
  bytes[11] = sum & 0xff;
}

function writeIp6(bytes: Uint8Array, header: IpHeader): void {
  const { source, destination, protocol, hops, fragment } = header;
  const length = header.length + (fragment === undefined ? 0 : FRAGMENT_BYTES);
  const next = fragment === undefined ? protocol : Protocol.fragment;
  bytes.set([0x60, 0, 0, 0, length >> 8, length & 0xff, next, hops]);
  bytes.set(source, 8);
  bytes.set(destination, 24);
  if (fragment === undefined) return;
  const place = fragment.offset | (fragment.more ? 1 : 0);
  bytes.set([protocol, 0, place >> 8, place & 0xff], IP6_BYTES);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(IP6_BYTES + 4, fragment.id);
}
