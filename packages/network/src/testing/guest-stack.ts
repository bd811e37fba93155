/**
 * A small TCP/IP for tests: what a guest's kernel would do on the other side of the switch, written apart from the code
 * under test. It speaks ARP, DHCP, ICMP, UDP and TCP, and can be told to lose frames.
 */
import { type Abilities, allAbilities, type Frame, frameBytes, frameOf, type Offload } from "../frame.ts";
import type { Switch, SwitchPort, SwitchTarget } from "../switch/switch.ts";
import { BROADCAST_MAC, type IpAddress, ip } from "../wire/address.ts";
import { encodeArp, parseArp } from "../wire/arp.ts";
import { checksum, fold, pseudoHeaderSum } from "../wire/checksum.ts";
import { EtherType, sourceOf, typeOf, writeEthernet } from "../wire/ethernet.ts";
import { ipHeaderBytes, type Packet, Protocol, parseIp4Packet, parseIp6Packet, writeIp } from "../wire/ip.ts";
import { parseTcp, type TcpHeader, type TcpSegment, tcpHeaderBytes, writeTcp } from "../wire/tcp-segment.ts";
import { encodeUdp, parseUdp } from "../wire/udp.ts";
import { TestTcp } from "./test-tcp.ts";

const GATEWAY_MAC = 0x02_62_6b_00_00_02;

export interface TestDatagram {
  readonly source: IpAddress;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/** Anything that was received, waited for by those who want it. */
class Inbox<T> {
  readonly #items: T[] = [];
  #waiting: ((item: T) => void)[] = [];

  add(item: T): void {
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#items.push(item);
    else waiter(item);
  }

  next(): Promise<T> {
    const item = this.#items.shift();
    return item === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(item);
  }

  get size(): number {
    return this.#items.length;
  }
}

export class GuestStack implements SwitchTarget {
  readonly abilities: Abilities;
  readonly mac: number;
  ip4: IpAddress;
  ip6 = ip("fd62:756c:6b68:1::77");
  readonly port: SwitchPort;
  readonly datagrams = new Inbox<TestDatagram>();
  readonly icmp = new Inbox<Packet>();
  readonly arps = new Inbox<NonNullable<ReturnType<typeof parseArp>>>();
  readonly connections = new Map<string, TestTcp>();
  /** Segments that belong to no connection. */
  readonly strays = new Inbox<TcpSegment>();
  readonly accepted = new Inbox<TestTcp>();
  readonly listening = new Set<number>();
  /** Whether to lose a frame that comes or goes. */
  lose: (frame: Frame) => boolean = () => false;
  /** Frames are not taken: as when the driver has no buffers. */
  full = false;
  largest = 0;
  frames = 0;
  #wasFull = false;

  constructor(device: Switch, mac = 0x02_00_00_00_00_11, address = "10.0.2.15", abilities = allAbilities, vlan = 1) {
    this.mac = mac;
    this.ip4 = ip(address);
    this.abilities = abilities;
    this.port = device.plug(this, { vlan });
  }

  deliver(frame: Frame): boolean {
    if (this.full) this.#wasFull = true;
    if (this.full) return false;
    if (this.lose(frame)) return true;
    this.frames++;
    this.largest = Math.max(this.largest, frame.length);
    // As a device would: the frame is only lent, and what answers it comes later.
    const bytes = frameBytes(frame).slice();
    queueMicrotask(() => this.#receive(bytes, frame.offload));
    return true;
  }

  /** Takes frames again. */
  open(): void {
    this.full = false;
    if (this.#wasFull) this.port.hasRoom();
    this.#wasFull = false;
  }

  raw(bytes: Uint8Array, offload?: Offload): void {
    const frame = frameOf(bytes, offload);
    if (!this.lose(frame)) this.port.input(frame);
  }

  ethernet(destination: number, type: number, payload: Uint8Array): void {
    const bytes = new Uint8Array(14 + payload.length);
    writeEthernet(bytes, destination, this.mac, type);
    bytes.set(payload, 14);
    this.raw(bytes);
  }

  arp(target: IpAddress): void {
    const request = { operation: 1, senderMac: this.mac, senderIp: this.ip4, targetMac: 0, targetIp: target };
    this.ethernet(BROADCAST_MAC, EtherType.arp, encodeArp(request));
  }

  /** Sends a packet; its transport checksum is filled in unless `sum` says otherwise. */
  packet(
    destination: IpAddress,
    protocol: number,
    payload: Uint8Array,
    more: { hops?: number; mac?: number } = {},
  ): void {
    const source = destination.length === 4 ? this.ip4 : this.ip6;
    const start = 14 + ipHeaderBytes({ source });
    const bytes = new Uint8Array(start + payload.length);
    const type = source.length === 4 ? EtherType.ip4 : EtherType.ip6;
    writeEthernet(bytes, more.mac ?? GATEWAY_MAC, this.mac, type);
    writeIp(bytes, 14, { source, destination, protocol, hops: more.hops ?? 64, length: payload.length });
    bytes.set(payload, start);
    const at = protocol === Protocol.udp ? 6 : protocol === Protocol.tcp ? 16 : 2;
    const pseudo =
      protocol === Protocol.icmp4 ? 0 : fold(pseudoHeaderSum(source, destination, protocol, payload.length));
    const sum = checksum(bytes.subarray(start), pseudo);
    bytes[start + at] = sum >> 8;
    bytes[start + at + 1] = sum & 0xff;
    this.raw(bytes);
  }

  udp(destination: IpAddress, port: number, payload: Uint8Array | string, sourcePort = 4000): void {
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    this.packet(destination, Protocol.udp, encodeUdp(sourcePort, port, bytes));
  }

  ping(destination: IpAddress, data: Uint8Array = new Uint8Array(56), hops = 64): void {
    const message = new Uint8Array(8 + data.length);
    message[0] = destination.length === 4 ? 8 : 128;
    message.set(data, 8);
    this.packet(destination, destination.length === 4 ? Protocol.icmp4 : Protocol.icmp6, message, { hops });
  }

  connect(destination: IpAddress, port: number, sourcePort = 30000 + this.connections.size): TestTcp {
    const connection = new TestTcp(this, destination, port, sourcePort);
    this.connections.set(`${destination.toHex()}/${port}/${sourcePort}`, connection);
    connection.call();
    return connection;
  }

  /** Sends a segment; a `cut` other than 0 leaves cutting and checksum to others. */
  segment(destination: IpAddress, header: TcpHeader, payload: Uint8Array, cut = 0): void {
    const headerBytes = tcpHeaderBytes(header);
    const bytes = new Uint8Array(headerBytes + payload.length);
    writeTcp(bytes, 0, header);
    bytes.set(payload, headerBytes);
    if (cut === 0) this.packet(destination, Protocol.tcp, bytes);
    else this.#large(destination, bytes, headerBytes, cut);
  }

  #large(destination: IpAddress, tcp: Uint8Array, headerBytes: number, cut: number): void {
    const source = destination.length === 4 ? this.ip4 : this.ip6;
    const start = 14 + ipHeaderBytes({ source });
    const bytes = new Uint8Array(start + tcp.length);
    writeEthernet(bytes, GATEWAY_MAC, this.mac, source.length === 4 ? EtherType.ip4 : EtherType.ip6);
    writeIp(bytes, 14, { source, destination, protocol: Protocol.tcp, hops: 64, length: tcp.length });
    bytes.set(tcp, start);
    const pseudo = fold(pseudoHeaderSum(source, destination, Protocol.tcp, tcp.length));
    bytes[start + 16] = pseudo >> 8;
    bytes[start + 17] = pseudo & 0xff;
    this.raw(bytes, {
      checksumStart: start,
      checksumOffset: 16,
      segmentation: source.length === 4 ? 1 : 4,
      segmentBytes: cut,
      headerBytes: start + headerBytes,
    });
  }

  #receive(bytes: Uint8Array, offload: Offload): void {
    const payload = bytes.subarray(14);
    const type = typeOf(bytes);
    const arp = type === EtherType.arp ? parseArp(payload) : undefined;
    if (arp !== undefined) this.arps.add(arp);
    const packet =
      type === EtherType.ip4 ? parseIp4Packet(payload) : type === EtherType.ip6 ? parseIp6Packet(payload) : undefined;
    if (packet === undefined) return;
    if (packet.fragment === undefined && offload.checksumStart === 0) assertSum(packet);
    if (packet.protocol === Protocol.udp) {
      const datagram = parseUdp(packet.payload);
      if (datagram !== undefined) this.datagrams.add({ source: packet.source, ...datagram });
    } else if (packet.protocol === Protocol.tcp) this.#receiveTcp(packet, sourceOf(bytes));
    else this.icmp.add(packet);
  }

  #receiveTcp({ source, payload }: Packet, _mac: number): void {
    const segment = parseTcp(payload);
    if (segment === undefined) throw new Error("the segment is malformed");
    const key = `${source.toHex()}/${segment.sourcePort}/${segment.destinationPort}`;
    const connection = this.connections.get(key);
    if (connection !== undefined) connection.receive(segment);
    else if (this.listening.has(segment.destinationPort) && (segment.flags & 2) !== 0) {
      const fresh = new TestTcp(this, source, segment.sourcePort, segment.destinationPort);
      this.connections.set(key, fresh);
      fresh.answer(segment);
      this.accepted.add(fresh);
    } else this.strays.add(segment);
  }
}

function assertSum({ source, destination, protocol, payload }: Packet): void {
  const pseudo = protocol === Protocol.icmp4 ? 0 : pseudoHeaderSum(source, destination, protocol, payload.length);
  if (checksum(payload, fold(pseudo)) !== 0) throw new Error(`the checksum of protocol ${protocol} is wrong`);
}
