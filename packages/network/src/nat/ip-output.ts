/**
 * Packets of the NAT to guests: headers in front, checksums, and fragments where a packet is larger than the link.
 * Who calls it: everything in the NAT that has something to say.
 */
import { ETHERNET_BYTES, type Frame, frameOf, noOffload, Segmentation } from "../frame.ts";
import type { IpAddress } from "../wire/address.ts";
import { checksum, fold, pseudoHeaderSum } from "../wire/checksum.ts";
import { EtherType, writeEthernet } from "../wire/ethernet.ts";
import { ipHeaderBytes, Protocol, writeIp } from "../wire/ip.ts";
import { type TcpHeader, tcpHeaderBytes, writeTcp } from "../wire/tcp-segment.ts";

const HOPS = 64;
/** What neighbour discovery requires: the message has not come from elsewhere. @spec RFC 4861 */
export const LINK_HOPS = 255;
/** Where protocols keep their checksum. */
const checksumOffsets: ReadonlyMap<number, number> = new Map([
  [Protocol.udp, 6],
  [Protocol.icmp4, 2],
  [Protocol.icmp6, 2],
]);
const TCP_CHECKSUM = 16;

/** Addresses of a packet to a guest. */
export interface Route {
  readonly mac: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

export class IpOutput {
  readonly #mac: number;
  readonly #mtu: number;
  readonly #send: (frame: Frame) => boolean;
  #lastId = 0;

  /** @param send takes a frame; false where it was lost for want of room. */
  constructor(mac: number, mtu: number, send: (frame: Frame) => boolean) {
    this.#mac = mac;
    this.#mtu = mtu;
    this.#send = send;
  }

  /** Sends what is no packet of IP. */
  ethernet(destination: number, type: number, payload: Uint8Array): boolean {
    const bytes = new Uint8Array(ETHERNET_BYTES + payload.length);
    writeEthernet(bytes, destination, this.#mac, type);
    bytes.set(payload, ETHERNET_BYTES);
    return this.#send(frameOf(bytes));
  }

  /** Sends a packet, whose checksum is filled in, in fragments where it has to be. */
  packet(route: Route, protocol: number, payload: Uint8Array, hops = HOPS): boolean {
    this.#sum(route, protocol, payload);
    const { source, destination } = route;
    const most = this.#mtu - ipHeaderBytes({ source });
    if (payload.length <= most) {
      return this.#plain(route, { source, destination, protocol, hops, length: payload.length }, payload);
    }
    this.#lastId = (this.#lastId + 1) & 0xffff;
    const id = this.#lastId;
    const piece = (this.#mtu - ipHeaderBytes({ source, fragment: { id, offset: 0, more: true } })) & ~7;
    for (let offset = 0; offset < payload.length; offset += piece) {
      const part = payload.subarray(offset, offset + piece);
      const fragment = { id, offset, more: offset + piece < payload.length };
      const header = { source, destination, protocol, hops, length: part.length, fragment };
      if (!this.#plain(route, header, part)) return false;
    }
    return true;
  }

  /** Sends a segment, its checksum left undone, and where `cut` is not 0 to be cut into pieces of so many bytes. */
  segment({ mac, source, destination }: Route, header: TcpHeader, parts: readonly Uint8Array[], cut: number): boolean {
    const payload = parts.reduce((sum, part) => sum + part.length, 0);
    const tcpBytes = tcpHeaderBytes(header);
    const checksumStart = ETHERNET_BYTES + ipHeaderBytes({ source });
    const head = new Uint8Array(checksumStart + tcpBytes);
    const family4 = source.length === 4;
    writeEthernet(head, mac, this.#mac, family4 ? EtherType.ip4 : EtherType.ip6);
    const length = tcpBytes + payload;
    writeIp(head, ETHERNET_BYTES, { source, destination, protocol: Protocol.tcp, hops: HOPS, length });
    writeTcp(head, checksumStart, header);
    const sum = fold(pseudoHeaderSum(source, destination, Protocol.tcp, length));
    head[checksumStart + TCP_CHECKSUM] = sum >> 8;
    head[checksumStart + TCP_CHECKSUM + 1] = sum & 0xff;
    const segmentation = cut === 0 ? Segmentation.none : family4 ? Segmentation.tcp4 : Segmentation.tcp6;
    const offload = {
      checksumStart,
      checksumOffset: TCP_CHECKSUM,
      segmentation,
      segmentBytes: cut,
      headerBytes: cut === 0 ? 0 : head.length,
    };
    return this.#send({ parts: [head, ...parts], length: head.length + payload, offload });
  }

  #plain({ mac }: Route, header: Parameters<typeof writeIp>[2], payload: Uint8Array): boolean {
    const start = ETHERNET_BYTES + ipHeaderBytes(header);
    const bytes = new Uint8Array(start + payload.length);
    writeEthernet(bytes, mac, this.#mac, header.source.length === 4 ? EtherType.ip4 : EtherType.ip6);
    writeIp(bytes, ETHERNET_BYTES, header);
    bytes.set(payload, start);
    return this.#send({ parts: [bytes], length: bytes.length, offload: noOffload });
  }

  /** Programs that read raw packets look at these checksums, so they are filled in here. */
  #sum({ source, destination }: Route, protocol: number, payload: Uint8Array): void {
    const at = checksumOffsets.get(protocol);
    if (at === undefined) return;
    payload[at] = 0;
    payload[at + 1] = 0;
    const pseudo = protocol === Protocol.icmp4 ? 0 : pseudoHeaderSum(source, destination, protocol, payload.length);
    const sum = checksum(payload, fold(pseudo));
    const value = sum === 0 && protocol === Protocol.udp ? 0xffff : sum;
    payload[at] = value >> 8;
    payload[at + 1] = value & 0xff;
  }
}
