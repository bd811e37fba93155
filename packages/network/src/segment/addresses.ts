/** Addresses of a private network: made from its name, so that every process of the host finds the same ones. */
import type { NatAddresses } from "../nat/addresses.ts";
import { ip } from "../wire/address.ts";

/** FNV-1a of a name, 32 bits. */
function hash(name: string): number {
  let value = 0x811c_9dc5;
  for (const byte of new TextEncoder().encode(name)) value = Math.imul(value ^ byte, 0x0100_0193) >>> 0;
  return value;
}

/** 10.62.N.0/24 and a prefix of IPv6; there is no way out. */
export function privateAddresses(name: string): NatAddresses {
  const value = hash(name);
  const network = `10.62.${value % 256}`;
  const prefix = `fd62:756c:6b68:${(0x100 + ((value >>> 8) % 0xff00)).toString(16)}`;
  return {
    mac: 0x02_62_6b_00_00_00 + 0x100 + (value % 0xff00),
    network4: { address: ip(`${network}.0`), bits: 24 },
    gateway4: ip(`${network}.1`),
    dns4: ip(`${network}.1`),
    firstGuest: 10,
    network6: { address: ip(`${prefix}::`), bits: 64 },
    gateway6: ip(`${prefix}::1`),
    dns6: ip(`${prefix}::1`),
    linkLocal: ip("fe80::1"),
  };
}
