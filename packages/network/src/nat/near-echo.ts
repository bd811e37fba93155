/**
 * Answers echo requests to the gateway where the guest's device is, as the gateway would: the thread of the gateway
 * need not be woken for them. Everything else is left to it. Who calls it: the near end of a cable to the NAT.
 */
import { ETHERNET_BYTES, type Frame, frameBytes, noOffload } from "../frame.ts";
import { familyOf } from "../wire/address.ts";
import { checksum, fold, pseudoHeaderSum } from "../wire/checksum.ts";
import { destinationOf, EtherType, sourceOf, typeOf } from "../wire/ethernet.ts";
import { type Packet, Protocol, parseIp4Packet, parseIp6Packet } from "../wire/ip.ts";
import { isGroup, isLocal, isOwn, type NatAddresses } from "./addresses.ts";
import { echoReply, Icmp, icmpProtocol, isKind } from "./icmp.ts";
import { IpOutput } from "./ip-output.ts";

/** Where a header without options says what follows it. */
const NEXT4 = ETHERNET_BYTES + 9;
const NEXT6 = ETHERNET_BYTES + 6;

export class NearEcho {
  readonly #addresses: NatAddresses;
  readonly #output: IpOutput;
  readonly #mostBytes: number;
  #reply: Frame | undefined;

  constructor(addresses: NatAddresses, mtu: number) {
    this.#addresses = addresses;
    this.#mostBytes = ETHERNET_BYTES + mtu;
    this.#output = new IpOutput(addresses.mac, mtu, (frame) => {
      this.#reply = frame;
      return true;
    });
  }

  /** The answer to a frame of the guest's that is such a request; undefined for any other. */
  answer(parts: readonly Uint8Array[], length: number): Frame | undefined {
    if (length > this.#mostBytes || !mayBeEcho(parts[0])) return undefined;
    const bytes = frameBytes({ parts, length, offload: noOffload });
    if (destinationOf(bytes) !== this.#addresses.mac) return undefined;
    const payload = bytes.subarray(ETHERNET_BYTES);
    const packet = typeOf(bytes) === EtherType.ip4 ? parseIp4Packet(payload) : parseIp6Packet(payload);
    if (packet === undefined || !this.#asks(packet)) return undefined;
    const { source, destination } = packet;
    const route = { mac: sourceOf(bytes), source: destination, destination: source };
    const family = familyOf(source);
    this.#reply = undefined;
    this.#output.packet(route, icmpProtocol(family), echoReply(packet.payload, family));
    return this.#reply;
  }

  /** Whether the gateway itself is asked, by a guest and rightly: what is odd is for the gateway to judge. */
  #asks({ source, destination, protocol, payload, fragment }: Packet): boolean {
    const family = familyOf(source);
    if (fragment !== undefined || protocol !== icmpProtocol(family)) return false;
    if (!isKind(payload, Icmp.echoRequest, family) || !isOwn(this.#addresses, destination)) return false;
    if (isOwn(this.#addresses, source) || isGroup(source) || !isLocal(this.#addresses, source)) return false;
    const pseudo = family === 4 ? 0 : pseudoHeaderSum(source, destination, protocol, payload.length);
    return checksum(payload, fold(pseudo)) === 0;
  }
}

function mayBeEcho(head: Uint8Array): boolean {
  if (head.length <= NEXT4) return false;
  const type = typeOf(head);
  return type === EtherType.ip4
    ? head[NEXT4] === Protocol.icmp4
    : type === EtherType.ip6 && head[NEXT6] === Protocol.icmp6;
}
