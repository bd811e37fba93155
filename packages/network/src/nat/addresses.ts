/** Where the NAT's own hosts are: the gateway, and the name server, which is the same machine under another address. */
import { type IpAddress, type IpRange, inRange, ip, sameBytes } from "../wire/address.ts";

export interface NatAddresses {
  readonly mac: number;
  readonly network4: IpRange;
  readonly gateway4: IpAddress;
  readonly dns4: IpAddress;
  /** The first address that guests are given, as the last byte; up to 254. */
  readonly firstGuest: number;
  /** A prefix of 64 bits, from which guests make their addresses themselves. */
  readonly network6: IpRange;
  readonly gateway6: IpAddress;
  readonly dns6: IpAddress;
  readonly linkLocal: IpAddress;
}

/** Prefix of a private network of IPv6: fd and 40 bits that should be nobody else's. @spec RFC 4193 */
const ULA = "fd62:756c:6b68:1";

/** What a guest finds unless it is told otherwise. */
export const usualAddresses: NatAddresses = {
  mac: 0x02_62_6b_00_00_02,
  network4: { address: ip("10.0.2.0"), bits: 24 },
  gateway4: ip("10.0.2.2"),
  dns4: ip("10.0.2.3"),
  firstGuest: 15,
  network6: { address: ip(`${ULA}::`), bits: 64 },
  gateway6: ip(`${ULA}::2`),
  dns6: ip(`${ULA}::3`),
  linkLocal: ip("fe80::2"),
};

const linkLocal6: IpRange = { address: ip("fe80::"), bits: 10 };

/** Whether an address is one of the gateway's own. */
export const isOwn = (of: NatAddresses, address: IpAddress): boolean =>
  [of.gateway4, of.dns4, of.gateway6, of.dns6, of.linkLocal].some((own) => sameBytes(own, address));

export const isDns = (of: NatAddresses, address: IpAddress): boolean =>
  sameBytes(of.dns4, address) || sameBytes(of.dns6, address);

/** Whether an address is on the guests' own link. */
export const isLocal = (of: NatAddresses, address: IpAddress): boolean =>
  inRange(address, of.network4) || inRange(address, of.network6) || inRange(address, linkLocal6);

const group4: IpRange = { address: ip("224.0.0.0"), bits: 3 };
const group6: IpRange = { address: ip("ff00::"), bits: 8 };

/** Whether packets to an address are for more than one, or for nobody that there could be. */
export const isGroup = (address: IpAddress): boolean => inRange(address, group4) || inRange(address, group6);
