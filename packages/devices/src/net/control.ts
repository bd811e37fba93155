/** Commands on the control queue of a network device. @spec virtio "Network Device" "Control Virtqueue" */
import { GUEST_OFFLOADS, MAC_BYTES, NetFeature } from "./config.ts";
import type { ReceiveFilter } from "./receive-filter.ts";

/** Most bytes of a command that are read: two tables of addresses of a sensible length. */
export const MAX_COMMAND_BYTES = 16 * 1024;

export const Acknowledge = { ok: 0, error: 1 } as const;

const Class = { receive: 0, mac: 1, guestOffloads: 5 } as const;
const Receive = { promiscuous: 0, allMulticast: 1 } as const;
const Mac = { tables: 0, address: 1 } as const;

/** What commands act on. */
export interface ControlTarget {
  /** The features that driver and device agreed on. */
  readonly negotiated: bigint;
  readonly filter: ReceiveFilter;
  setOffloads(offloads: bigint): void;
  macChanged(): void;
}

/** Carries a command out. @returns what the driver is told: one of `Acknowledge`. */
export function control(target: ControlTarget, command: Uint8Array<ArrayBuffer>): number {
  const [kind, code] = command;
  const data = command.subarray(2);
  const has = (feature: bigint): boolean => (target.negotiated & feature) !== 0n;
  if (kind === Class.receive && has(NetFeature.controlReceive)) return setMode(target, code, data);
  if (kind === Class.mac && code === Mac.tables && has(NetFeature.controlReceive)) return setTables(target, data);
  if (kind === Class.mac && code === Mac.address && has(NetFeature.controlMac)) return setMac(target, data);
  if (kind === Class.guestOffloads && code === 0 && has(NetFeature.controlGuestOffloads)) {
    return setOffloads(target, data);
  }
  return Acknowledge.error;
}

function setMode({ filter }: ControlTarget, code: number, data: Uint8Array): number {
  if (data.length !== 1) return Acknowledge.error;
  if (code === Receive.promiscuous) filter.setMode("promiscuous", data[0] !== 0);
  else if (code === Receive.allMulticast) filter.setMode("allMulticast", data[0] !== 0);
  else return Acknowledge.error;
  return Acknowledge.ok;
}

function setTables({ filter }: ControlTarget, data: Uint8Array<ArrayBuffer>): number {
  const unicast = addresses(data);
  const multicast = unicast === undefined ? undefined : addresses(data.subarray(4 + unicast.length * MAC_BYTES));
  if (unicast === undefined || multicast === undefined) return Acknowledge.error;
  filter.setTables(unicast, multicast);
  return Acknowledge.ok;
}

/** A table at the start of some bytes: a count, then addresses. */
function addresses(data: Uint8Array<ArrayBuffer>): Uint8Array[] | undefined {
  if (data.length < 4) return undefined;
  const count = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  if (count > (data.length - 4) / MAC_BYTES) return undefined;
  return Array.from({ length: count }, (_, i) => data.subarray(4 + i * MAC_BYTES, 4 + (i + 1) * MAC_BYTES));
}

function setMac(target: ControlTarget, data: Uint8Array): number {
  if (data.length !== MAC_BYTES || (data[0] & 1) === 1) return Acknowledge.error;
  target.filter.setMac(data);
  target.macChanged();
  return Acknowledge.ok;
}

function setOffloads(target: ControlTarget, data: Uint8Array<ArrayBuffer>): number {
  if (data.length !== 8) return Acknowledge.error;
  const wanted = new DataView(data.buffer, data.byteOffset).getBigUint64(0, true);
  if ((wanted & ~(target.negotiated & GUEST_OFFLOADS)) !== 0n) return Acknowledge.error;
  target.setOffloads(wanted);
  return Acknowledge.ok;
}
