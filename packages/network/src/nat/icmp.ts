/** Messages of ICMP and ICMPv6. @spec RFC 792, RFC 4443 */
import { Protocol } from "../wire/ip.ts";

/** The same message in both families: type, and code where there is one. */
export interface IcmpKind {
  readonly v4: readonly [number, number];
  readonly v6: readonly [number, number];
}

export const Icmp = {
  echoRequest: { v4: [8, 0], v6: [128, 0] },
  echoReply: { v4: [0, 0], v6: [129, 0] },
  hostUnreachable: { v4: [3, 1], v6: [1, 3] },
  portUnreachable: { v4: [3, 3], v6: [1, 4] },
  prohibited: { v4: [3, 13], v6: [1, 1] },
  hopsExceeded: { v4: [11, 0], v6: [3, 0] },
} as const satisfies Record<string, IcmpKind>;

export const ICMP_BYTES = 8;
/** Bytes of a packet that an error quotes: header and ports of IPv4, as much as a small link takes of IPv6. */
const QUOTED_BYTES = { 4: 28, 6: 1232 } as const;

export const icmpProtocol = (family: 4 | 6): number => (family === 4 ? Protocol.icmp4 : Protocol.icmp6);

const pick = (kind: IcmpKind, family: 4 | 6): readonly [number, number] => (family === 4 ? kind.v4 : kind.v6);

export const isKind = (message: Uint8Array, kind: IcmpKind, family: 4 | 6): boolean =>
  message.length >= ICMP_BYTES && message[0] === pick(kind, family)[0] && message[1] === pick(kind, family)[1];

/** The answer to an echo request: the same identifier, number and data. Its checksum is left to be filled in. */
export function echoReply(request: Uint8Array, family: 4 | 6): Uint8Array<ArrayBuffer> {
  const reply = request.slice() as Uint8Array<ArrayBuffer>;
  reply.set(pick(Icmp.echoReply, family));
  return reply;
}

/** An error about a packet. Its checksum is left to be filled in. */
export function icmpError(kind: IcmpKind, packet: Uint8Array, family: 4 | 6): Uint8Array<ArrayBuffer> {
  const quoted = packet.subarray(0, QUOTED_BYTES[family]);
  const message = new Uint8Array(ICMP_BYTES + quoted.length);
  message.set(pick(kind, family));
  message.set(quoted, ICMP_BYTES);
  return message;
}
