/** Finding neighbours and routers of IPv6. @spec RFC 4861; RFC 8106 for the name server in advertisements */
import { type IpAddress, ip, macBytes } from "../wire/address.ts";
import type { NatAddresses } from "./addresses.ts";

export const Discovery = {
  routerSolicitation: 133,
  routerAdvertisement: 134,
  solicitation: 135,
  advertisement: 136,
} as const;

export const ALL_NODES = ip("ff02::1");
export const ALL_NODES_MAC = 0x3333_0000_0001;

const SOLICITED_AND_OVERRIDE = 0x60;
const ROUTER = 0x80;
const HOP_LIMIT = 64;
const ROUTER_SECONDS = 1800;
/** How often routers say again that they are there. */
export const ADVERTISE_MS = 600_000;
const FOREVER = [255, 255, 255, 255];
const Option = { sourceAddress: 1, targetAddress: 2, prefix: 3, mtu: 5, dns: 25 } as const;

/** The address that a solicitation asks for. */
export const solicited = (message: Uint8Array): IpAddress | undefined =>
  message.length >= 24 ? message.slice(8, 24) : undefined;

/** The answer to a solicitation for one of our addresses. Its checksum is left to be filled in. */
export function advertisement(target: IpAddress, mac: number, isRouter: boolean): Uint8Array<ArrayBuffer> {
  const flags = SOLICITED_AND_OVERRIDE | (isRouter ? ROUTER : 0);
  return Uint8Array.from([
    ...[Discovery.advertisement, 0, 0, 0, flags, 0, 0, 0],
    ...target,
    ...[Option.targetAddress, 1, ...macBytes(mac)],
  ]);
}

/** What a router says of itself: the prefix to make addresses from, the MTU, and where the name server is. */
export function routerAdvertisement(
  { mac, network6, dns6 }: NatAddresses,
  mtu: number,
  isRouter: boolean,
): Uint8Array<ArrayBuffer> {
  const lifetime = isRouter ? ROUTER_SECONDS : 0;
  const seconds = [0, 0, ROUTER_SECONDS >> 8, ROUTER_SECONDS & 0xff];
  return Uint8Array.from([
    ...[Discovery.routerAdvertisement, 0, 0, 0, HOP_LIMIT, 0, lifetime >> 8, lifetime & 0xff, 0, 0, 0, 0, 0, 0, 0, 0],
    ...[Option.sourceAddress, 1, ...macBytes(mac)],
    ...[Option.mtu, 1, 0, 0, 0, 0, mtu >> 8, mtu & 0xff],
    // On this link, and to make addresses from.
    ...[Option.prefix, 4, network6.bits, 0xc0, ...FOREVER, ...FOREVER, 0, 0, 0, 0, ...network6.address],
    ...(isRouter ? [Option.dns, 3, 0, 0, ...seconds, ...dns6] : []),
  ]);
}
