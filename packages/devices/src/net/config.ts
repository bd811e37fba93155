/** Feature bits and configuration space of a network device. @spec virtio "Network Device" "Device configuration layout" */
import type { Abilities } from "@bulkhead/network";

export const NetFeature = {
  checksum: 1n << 0n,
  guestChecksum: 1n << 1n,
  controlGuestOffloads: 1n << 2n,
  mtu: 1n << 3n,
  mac: 1n << 5n,
  guestTcp4: 1n << 7n,
  guestTcp6: 1n << 8n,
  hostTcp4: 1n << 11n,
  hostTcp6: 1n << 12n,
  mergeableBuffers: 1n << 15n,
  status: 1n << 16n,
  controlQueue: 1n << 17n,
  controlReceive: 1n << 18n,
  controlMac: 1n << 23n,
} as const;

/** All that the device offers. */
export const NET_FEATURES = Object.values(NetFeature).reduce((all, bit) => all | bit, 0n);

/** The offloads that a driver may switch while it runs; bits of the command are those of the features. */
export const GUEST_OFFLOADS = NetFeature.guestChecksum | NetFeature.guestTcp4 | NetFeature.guestTcp6;

export const MAC_BYTES = 6;
/** @spec RFC 8200 "Packet Size Issues": no link of IPv6 has less. */
export const LEAST_MTU = 1280;
export const MOST_MTU = 65535;
const LINK_UP = 1;

export function netConfig(mac: Uint8Array, mtu: number, up: boolean): Uint8Array<ArrayBuffer> {
  const config = new Uint8Array(12);
  const view = new DataView(config.buffer);
  config.set(mac.subarray(0, MAC_BYTES));
  view.setUint16(6, up ? LINK_UP : 0, true);
  view.setUint16(8, 1, true);
  view.setUint16(10, mtu, true);
  return config;
}

/** What frames for the guest may leave undone. A large segment needs the checksum offload too. */
export function abilitiesOf(offloads: bigint): Abilities {
  const checksum = (offloads & NetFeature.guestChecksum) !== 0n;
  return {
    checksum,
    tcp4: checksum && (offloads & NetFeature.guestTcp4) !== 0n,
    tcp6: checksum && (offloads & NetFeature.guestTcp6) !== 0n,
  };
}
