/**
 * The user-mode NAT: a gateway on the guests' link that turns their packets into sockets of the host. It answers ARP,
 * neighbour discovery, DHCP, DNS and echoes itself; TCP ends here and goes on as streams; datagrams go out of sockets.
 */
import type { Clock } from "../clock.ts";
import { allAbilities, ETHERNET_BYTES, type Frame, frameBytes } from "../frame.ts";
import { Policy } from "../policy/policy.ts";
import type { Destination } from "../policy/rule.ts";
import type { SwitchPort, SwitchTarget } from "../switch/switch.ts";
import { BROADCAST_MAC, familyOf, type IpAddress, ip, isGroupMac, sameBytes } from "../wire/address.ts";
import { ArpOperation, encodeArp, parseArp } from "../wire/arp.ts";
import { checksum, fold, pseudoHeaderSum } from "../wire/checksum.ts";
import { destinationOf, EtherType, sourceOf, typeOf } from "../wire/ethernet.ts";
import {
  IP4_BYTES,
  IP6_BYTES,
  ipHeaderBytes,
  type Packet,
  Protocol,
  parseIp4Packet,
  parseIp6Packet,
  writeIp,
} from "../wire/ip.ts";
import { parseTcp, TCP_BYTES, TcpFlag, writeTcp } from "../wire/tcp-segment.ts";
import { encodeUdp, parseUdp } from "../wire/udp.ts";
import { isDns, isGroup, isLocal, isOwn, type NatAddresses, usualAddresses } from "./addresses.ts";
import { DHCP_SERVER_PORT, DhcpServer } from "./dhcp.ts";
import { DnsForwarder } from "./dns/forwarder.ts";
import { DNS_PORT } from "./dns/message.ts";
import { DnsStream } from "./dns/stream.ts";
import type { HostNetwork, HostStream, StreamEvents } from "./host.ts";
import { echoReply, ICMP_BYTES, Icmp, type IcmpKind, icmpError, icmpProtocol, isKind } from "./icmp.ts";
import { IpOutput, LINK_HOPS, type Route } from "./ip-output.ts";
import {
  ADVERTISE_MS,
  ALL_NODES,
  ALL_NODES_MAC,
  advertisement,
  Discovery,
  routerAdvertisement,
  solicited,
} from "./neighbour-discovery.ts";
import { Neighbours } from "./neighbours.ts";
import { Reassembly } from "./reassembly.ts";
import { type TcpFlow, TcpTable } from "./tcp/table.ts";
import { type ToGuest, type UdpEndpoint, UdpFlows } from "./udp-flows.ts";

/** Payload of the largest segment that is left to be cut: header and payload are one packet of at most 64 KiB. */
const MOST_SEGMENT_BYTES = 65_000;
/** Echo requests to the outside under way at a time. */
const MOST_ECHOES = 8;

export interface GatewayOptions {
  readonly clock: Clock;
  /** The way out; undefined for a private network, on which there are addresses and nothing else. */
  readonly host?: HostNetwork;
  readonly policy?: Policy;
  readonly addresses?: NatAddresses;
  readonly mtu?: number;
  /** 32 random bits. */
  readonly random?: () => number;
}

const LOOPBACK4 = ip("127.0.0.1");
const LOOPBACK6 = ip("::1");

export class Gateway implements SwitchTarget {
  readonly abilities = allAbilities;
  readonly dhcp: DhcpServer;
  readonly #addresses: NatAddresses;
  readonly #host: HostNetwork | undefined;
  readonly #policy: Policy;
  readonly #clock: Clock;
  readonly #mtu: number;
  readonly #output: IpOutput;
  readonly #neighbours = new Neighbours();
  readonly #reassembly = new Reassembly();
  readonly #tcp: TcpTable;
  readonly #udp: UdpFlows | undefined;
  readonly #dns: DnsForwarder | undefined;
  readonly #stopAdvertising: () => void;
  #port: SwitchPort | undefined;
  #echoes = 0;

  constructor(options: GatewayOptions) {
    const { clock, host, mtu = 1500, addresses = usualAddresses } = options;
    this.#clock = clock;
    this.#host = host;
    this.#mtu = mtu;
    this.#addresses = addresses;
    this.#policy = options.policy ?? new Policy();
    this.#output = new IpOutput(addresses.mac, mtu, (frame) => this.#port?.input(frame) ?? false);
    this.#dns = host === undefined ? undefined : new DnsForwarder(host, this.#policy);
    const toGuest: ToGuest = (to, from, port, bytes) => void this.#sendUdp(to, from, port, bytes);
    this.#udp = host === undefined ? undefined : new UdpFlows(host, clock, toGuest);
    this.dhcp = new DhcpServer(dhcpOptions(addresses, mtu, host !== undefined), (address, mac) =>
      this.#neighbours.learn(address, mac),
    );
    const random = options.random ?? (() => crypto.getRandomValues(new Uint32Array(1))[0]);
    this.#tcp = new TcpTable({
      clock,
      random,
      mss4: mtu - IP4_BYTES - TCP_BYTES,
      mss6: mtu - IP6_BYTES - TCP_BYTES,
      mostBytes: MOST_SEGMENT_BYTES,
      send: (flow, header, parts, cut) => this.#output.segment(routeOf(flow), header, parts, cut),
      dial: (flow, events) => this.#dial(flow, events),
      unreachable: (flow, _why, sequence) => this.#tcpUnreachable(flow, sequence),
    });
    this.#stopAdvertising = clock.every(ADVERTISE_MS, () => this.#advertise(ALL_NODES_MAC, ALL_NODES));
  }

  /** The port of the switch that this gateway is plugged into. */
  attach(port: SwitchPort): void {
    this.#port = port;
  }

  /** The gateway's Ethernet address, which no guest may claim. */
  get mac(): number {
    return this.#addresses.mac;
  }

  get connections(): number {
    return this.#tcp.size;
  }

  deliver(frame: Frame): boolean {
    const bytes = frameBytes(frame);
    const destination = destinationOf(bytes);
    if (destination !== this.#addresses.mac && !isGroupMac(destination)) return true;
    const mac = sourceOf(bytes);
    const payload = bytes.subarray(ETHERNET_BYTES);
    const type = typeOf(bytes);
    if (type === EtherType.arp) this.#receiveArp(payload);
    const packet =
      type === EtherType.ip4 ? parseIp4Packet(payload) : type === EtherType.ip6 ? parseIp6Packet(payload) : undefined;
    if (packet !== undefined) this.#receivePacket(packet, mac, frame.offload.checksumStart !== 0);
    return true;
  }

  room(): void {
    this.#tcp.room();
  }

  /** Connects a connection that the host has accepted with a port of a guest. @returns what happens on it. */
  publish(port: number, stream: HostStream): StreamEvents | undefined {
    const guest = this.publishedGuest;
    if (guest === undefined) return undefined;
    const remotePort = 49152 + (crypto.getRandomValues(new Uint16Array(1))[0] % 16384);
    const flow = {
      mac: guest.mac,
      guest: guest.address,
      guestPort: port,
      remote: this.#addresses.gateway4,
      remotePort,
    };
    return this.#tcp.call(flow, stream);
  }

  /** Gives a published port of the guest a datagram. @returns whether there is a guest to give it to. */
  publishUdp(port: number, from: number, bytes: Uint8Array): boolean {
    const guest = this.publishedGuest;
    if (guest === undefined) return false;
    return this.#sendUdp({ ...guest, port }, this.#addresses.gateway4, from, bytes);
  }

  /** The guest that published ports lead to: the first that has asked for an address, or the one that has it anyway. */
  get publishedGuest(): { readonly mac: number; readonly address: IpAddress } | undefined {
    const lease = this.dhcp.leases[0];
    if (lease !== undefined) return lease;
    const address = this.#firstGuest;
    const mac = this.#neighbours.find(address);
    return mac === undefined ? undefined : { address, mac };
  }

  /** Asks the link for the guest that has the first address: one that was restored asks for none again. */
  seekGuest(): void {
    const { mac, gateway4 } = this.#addresses;
    const request = { operation: ArpOperation.request, senderMac: mac, senderIp: gateway4, targetMac: 0 };
    this.#output.ethernet(BROADCAST_MAC, EtherType.arp, encodeArp({ ...request, targetIp: this.#firstGuest }));
  }

  get #firstGuest(): IpAddress {
    const address = this.#addresses.network4.address.slice();
    address[3] = this.#addresses.firstGuest;
    return address;
  }

  /** Datagrams of a guest's published ports are given here instead of to the host. */
  onPublishedUdp: ((guestPort: number, to: number, bytes: Uint8Array<ArrayBuffer>) => boolean) | undefined;

  close(): void {
    this.#tcp.close();
    this.#udp?.close();
    this.#stopAdvertising();
  }

  #receiveArp(payload: Uint8Array): void {
    const arp = parseArp(payload);
    if (arp === undefined || isGroupMac(arp.senderMac)) return;
    const { gateway4, dns4, mac } = this.#addresses;
    if (isOwn(this.#addresses, arp.senderIp)) return;
    if (isLocal(this.#addresses, arp.senderIp)) this.#neighbours.learn(arp.senderIp, arp.senderMac);
    if (arp.operation !== ArpOperation.request) return;
    if (!sameBytes(arp.targetIp, gateway4) && !sameBytes(arp.targetIp, dns4)) return;
    const reply = encodeArp({
      operation: ArpOperation.reply,
      senderMac: mac,
      senderIp: arp.targetIp,
      targetMac: arp.senderMac,
      targetIp: arp.senderIp,
    });
    this.#output.ethernet(arp.senderMac, EtherType.arp, reply);
  }

  #receivePacket(packet: Packet, mac: number, summed: boolean): void {
    const { source, destination } = packet;
    if (isOwn(this.#addresses, source) || isGroup(source)) return;
    if (isLocal(this.#addresses, source)) this.#neighbours.learn(source, mac);
    const whole = packet.fragment === undefined ? packet : this.#reassembly.add(packet, this.#clock.nowMs);
    if (whole === undefined || !(summed || this.#isWhole(whole))) return;
    const own = isOwn(this.#addresses, destination);
    if (whole.protocol === Protocol.udp && this.#receiveDhcp(whole, mac)) return;
    if (whole.protocol === Protocol.icmp6 && this.#discover(whole, mac)) return;
    if (isGroup(destination) || (!own && isLocal(this.#addresses, destination))) return;
    if (!isLocal(this.#addresses, source)) return;
    if (!own && packet.hops <= 1) {
      this.#refuse(whole, mac, Icmp.hopsExceeded);
      return;
    }
    if (whole.protocol === Protocol.tcp) this.#receiveTcp(whole, mac);
    else if (whole.protocol === Protocol.udp) this.#receiveUdp(whole, mac);
    else if (whole.protocol === icmpProtocol(familyOf(source))) this.#receiveIcmp(whole, mac);
  }

  /** Whether a packet's checksum is right; a datagram of IPv4 may have none. */
  #isWhole({ protocol, payload, source, destination }: Packet): boolean {
    if (protocol === Protocol.icmp4) return checksum(payload) === 0;
    if (protocol === Protocol.udp && source.length === 4 && payload[6] === 0 && payload[7] === 0) return true;
    return checksum(payload, fold(pseudoHeaderSum(source, destination, protocol, payload.length))) === 0;
  }

  #receiveDhcp({ payload }: Packet, mac: number): boolean {
    const datagram = parseUdp(payload);
    if (datagram?.destinationPort !== DHCP_SERVER_PORT) return false;
    const reply = this.dhcp.answer(datagram.payload, this.#clock.nowMs);
    if (reply === undefined) return true;
    const everybody = reply.address === undefined;
    const route: Route = {
      mac: everybody ? BROADCAST_MAC : mac,
      source: this.#addresses.gateway4,
      destination: reply.address ?? ip("255.255.255.255"),
    };
    this.#output.packet(route, Protocol.udp, encodeUdp(DHCP_SERVER_PORT, reply.port, reply.payload));
    return true;
  }

  /** Answers neighbour discovery. @returns whether that was it. */
  #discover({ payload, source, hops }: Packet, mac: number): boolean {
    const type = payload[0];
    if (type < Discovery.routerSolicitation || type > Discovery.advertisement) return false;
    if (hops !== LINK_HOPS) return true;
    const unspecified = source.every((byte) => byte === 0);
    const [toMac, to] = unspecified ? [ALL_NODES_MAC, ALL_NODES] : [mac, source];
    if (type === Discovery.routerSolicitation) this.#advertise(toMac, to);
    const target = type === Discovery.solicitation ? solicited(payload) : undefined;
    if (target === undefined || target.length !== 16 || !isOwn(this.#addresses, target)) return true;
    const message = advertisement(target, this.#addresses.mac, this.#host !== undefined);
    this.#output.packet({ mac: toMac, source: target, destination: to }, Protocol.icmp6, message, LINK_HOPS);
    return true;
  }

  #advertise(mac: number, destination: IpAddress): void {
    const message = routerAdvertisement(this.#addresses, this.#mtu, this.#host !== undefined);
    const route = { mac, source: this.#addresses.linkLocal, destination };
    this.#output.packet(route, Protocol.icmp6, message, LINK_HOPS);
  }

  #receiveTcp({ source, destination, payload }: Packet, mac: number): void {
    const segment = parseTcp(payload);
    if (segment === undefined) return;
    const { sourcePort, destinationPort } = segment;
    const flow = { mac, guest: source, guestPort: sourcePort, remote: destination, remotePort: destinationPort };
    this.#tcp.receive(flow, segment);
  }

  #dial({ remote, remotePort }: TcpFlow, events: StreamEvents): HostStream | undefined {
    if (this.#host === undefined || this.#dns === undefined || remotePort === 0) return undefined;
    if (isDns(this.#addresses, remote)) {
      return remotePort === DNS_PORT ? new DnsStream(this.#dns, events) : undefined;
    }
    const address = this.#outside(remote);
    if (!this.#permits(address, remotePort, "tcp")) return undefined;
    return this.#host.connect(address, remotePort, events);
  }

  /** The gateway's own address stands for the host itself. */
  #outside(remote: IpAddress): IpAddress {
    if (!isOwn(this.#addresses, remote)) return remote;
    return remote.length === 4 ? LOOPBACK4 : LOOPBACK6;
  }

  #permits(address: IpAddress, port: number, protocol: Destination["protocol"]): boolean {
    const names = this.#dns?.namesOf(address) ?? [];
    return this.#policy.permits({ address, port, protocol, names });
  }

  /** The guest is told what a router would tell it about its SYN. */
  #tcpUnreachable({ mac, guest, guestPort, remote, remotePort }: TcpFlow, sequence: number): void {
    const start = ipHeaderBytes({ source: guest });
    const whole = new Uint8Array(start + TCP_BYTES);
    const addresses = { source: guest, destination: remote };
    writeIp(whole, 0, { ...addresses, protocol: Protocol.tcp, hops: 64, length: TCP_BYTES });
    const header = { sourcePort: guestPort, destinationPort: remotePort, sequence, acknowledgement: 0 };
    writeTcp(whole, start, { ...header, flags: TcpFlag.syn, window: 0 });
    this.#refuse({ ...addresses, whole }, mac, Icmp.hostUnreachable);
  }

  #receiveUdp(packet: Packet, mac: number): void {
    const datagram = parseUdp(packet.payload);
    if (datagram === undefined || datagram.destinationPort === 0) return;
    const { source, destination } = packet;
    const endpoint: UdpEndpoint = { mac, address: source, port: datagram.sourcePort };
    const bytes = datagram.payload.slice() as Uint8Array<ArrayBuffer>;
    const port = datagram.destinationPort;
    if (isDns(this.#addresses, destination) && this.#dns !== undefined && port === DNS_PORT) {
      void this.#answerDns(this.#dns, endpoint, destination, bytes);
      return;
    }
    if (isOwn(this.#addresses, destination) && this.onPublishedUdp?.(endpoint.port, port, bytes)) return;
    const address = this.#outside(destination);
    const refused = isDns(this.#addresses, destination) || !this.#permits(address, port, "udp");
    if (refused || this.#udp === undefined) {
      this.#refuse(packet, mac, Icmp.portUnreachable);
      return;
    }
    this.#udp.send(endpoint, address, port, bytes, destination);
  }

  async #answerDns(
    dns: DnsForwarder,
    to: UdpEndpoint,
    server: IpAddress,
    query: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const answer = await dns.answer(query, false);
    if (answer !== undefined) this.#sendUdp(to, server, DNS_PORT, answer);
  }

  #sendUdp({ mac, address, port }: UdpEndpoint, from: IpAddress, fromPort: number, bytes: Uint8Array): boolean {
    const route = { mac, source: from, destination: address };
    return this.#output.packet(route, Protocol.udp, encodeUdp(fromPort, port, bytes));
  }

  #receiveIcmp(packet: Packet, mac: number): void {
    const { source, destination, payload } = packet;
    const family = familyOf(source);
    if (!isKind(payload, Icmp.echoRequest, family)) return;
    const reply = echoReply(payload, family);
    const route = { mac, source: destination, destination: source };
    if (isOwn(this.#addresses, destination)) this.#output.packet(route, icmpProtocol(family), reply);
    else void this.#echo(packet, route, reply);
  }

  /** Asks the host to ask, where it can. */
  async #echo(packet: Packet, route: Route, reply: Uint8Array<ArrayBuffer>): Promise<void> {
    if (!this.#permits(packet.destination, 0, "icmp")) return this.#refuse(packet, route.mac, Icmp.prohibited);
    if (this.#host === undefined || this.#echoes >= MOST_ECHOES) return;
    this.#echoes++;
    try {
      const answered = await this.#host.echo(packet.destination, reply.length - ICMP_BYTES);
      if (answered) this.#output.packet(route, icmpProtocol(familyOf(packet.source)), reply);
    } finally {
      this.#echoes--;
    }
  }

  /** Tells a guest that its packet goes nowhere. Errors are not told of errors, nor of what was for many. */
  #refuse(
    { source, destination, whole }: Pick<Packet, "source" | "destination" | "whole">,
    mac: number,
    kind: IcmpKind,
  ): void {
    const family = familyOf(source);
    const from = family === 4 ? this.#addresses.gateway4 : this.#addresses.gateway6;
    const own = isOwn(this.#addresses, destination) ? destination : from;
    const route = { mac, source: own, destination: source };
    this.#output.packet(route, icmpProtocol(family), icmpError(kind, whole, family));
  }
}

const routeOf = ({ mac, guest, remote }: TcpFlow): Route => ({ mac, source: remote, destination: guest });

function dhcpOptions(addresses: NatAddresses, mtu: number, hasUplink: boolean) {
  const { network4, gateway4, dns4, firstGuest } = addresses;
  const pool = Array.from({ length: 255 - firstGuest }, (_, i) => {
    const address = network4.address.slice();
    address[3] = firstGuest + i;
    return address;
  });
  const way = hasUplink ? { router: gateway4, dns: dns4 } : {};
  return { server: gateway4, bits: network4.bits, mtu, pool, ...way };
}
