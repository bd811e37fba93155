/**
 * A learning Ethernet switch with VLANs. Ports are guests, gateways, uplinks and taps for capture; a frame goes to the
 * port behind which its destination was last seen, else to all of its VLAN. @spec IEEE 802.1Q
 */
import { type Abilities, ETHERNET_BYTES, type Frame, MAX_FRAME_BYTES, VLAN_TAG_BYTES } from "../frame.ts";
import { prepare } from "../segmentation.ts";
import { isGroupMac } from "../wire/address.ts";
import { destinationOf, MOST_VLAN, sourceOf, tagged, untagged, vlanOf } from "../wire/ethernet.ts";
import { AddressTable, type AddressTableLimits, usualAddressLimits } from "./address-table.ts";
import { FloodBucket, type FloodLimit, usualFloodLimit } from "./flood-limit.ts";

/** What is plugged into a port. */
export interface SwitchTarget {
  /** What frames to it may leave undone; asked for each frame. */
  readonly abilities: Abilities;
  /** Takes a frame, whose bytes are only lent; an answer must not come before this returns. @returns false where there was no room and the frame is lost. */
  deliver(frame: Frame): boolean;
  /** Called once behind the last of some frames delivered together. */
  flush?(): void;
  /** Another port that had no room has some again. */
  room?(): void;
}

export interface PortOptions {
  /** The VLAN of frames without a tag; 1 unless said otherwise. */
  readonly vlan?: number;
  /** VLANs whose frames travel here with a tag: the port is a trunk. */
  readonly trunk?: readonly number[] | "all";
  /** Addresses that are here and nowhere else: frames from elsewhere that claim them are dropped. */
  readonly pinned?: readonly number[];
  readonly floodLimit?: FloodLimit;
}

export interface SwitchOptions {
  readonly nowMs?: () => number;
  readonly addresses?: AddressTableLimits;
}

/** What became of frames, since the start. */
export interface PortCounters {
  received: number;
  /** Malformed, in a VLAN that the port is not in, or with an address that is another's. */
  refused: number;
  /** Over the limit for frames to everybody. */
  limited: number;
  delivered: number;
  /** Lost because the target had no room. */
  lost: number;
}

export class Switch {
  readonly #ports = new Set<SwitchPort>();
  readonly #table: AddressTable<SwitchPort>;
  readonly #pinned = new Map<number, SwitchPort>();
  readonly #nowMs: () => number;
  #delivered = new Set<SwitchPort>();

  constructor(options: SwitchOptions = {}) {
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#table = new AddressTable(options.addresses ?? usualAddressLimits, this.#nowMs);
  }

  /** Plugs something in. Errors: `RangeError` for a VLAN that there is not. */
  plug(target: SwitchTarget, options: PortOptions = {}): SwitchPort {
    const bucket = new FloodBucket(options.floodLimit ?? usualFloodLimit, this.#nowMs);
    const port = new SwitchPort(this, target, options, bucket);
    this.#ports.add(port);
    for (const mac of options.pinned ?? []) this.#pinned.set(mac, port);
    return port;
  }

  unplug(port: SwitchPort): void {
    this.#ports.delete(port);
    this.#delivered.delete(port);
    this.#table.remove(port);
    for (const [mac, owner] of this.#pinned) if (owner === port) this.#pinned.delete(mac);
  }

  /** For ports: a frame has come in. @returns false where the one port it was for had no room. */
  forward(from: SwitchPort, frame: Frame): boolean {
    from.counters.received++;
    const bytes = frame.parts[0];
    if (frame.length > MAX_FRAME_BYTES || bytes.length < ETHERNET_BYTES) return refuse(from);
    const tag = vlanOf(bytes);
    const vlan = from.vlanFor(tag);
    const source = sourceOf(bytes);
    if (vlan === undefined || source === 0 || isGroupMac(source)) return refuse(from);
    const owner = this.#pinned.get(source);
    if (owner !== undefined && owner !== from) return refuse(from);
    if (owner === undefined) this.#table.learn(vlan, source, from);
    return this.#send(from, tag === undefined ? frame : withoutTag(frame), vlan);
  }

  /** For ports: one that had no room has some. */
  room(port: SwitchPort): void {
    for (const other of this.#ports) if (other !== port) other.target.room?.();
  }

  #send(from: SwitchPort, frame: Frame, vlan: number): boolean {
    const destination = destinationOf(frame.parts[0]);
    const known = isGroupMac(destination)
      ? undefined
      : (this.#pinned.get(destination) ?? this.#table.find(vlan, destination));
    if (known?.carries(vlan)) return known === from || this.#deliver(known, frame, vlan);
    if (!from.floods.take()) {
      from.counters.limited++;
      return true;
    }
    for (const port of this.#ports) if (port !== from && port.carries(vlan)) this.#deliver(port, frame, vlan);
    return true;
  }

  #deliver(to: SwitchPort, frame: Frame, vlan: number): boolean {
    for (const each of prepare(frame, to.target.abilities)) {
      if (!to.target.deliver(to.tags(vlan) ? withTag(each, vlan) : each)) {
        to.counters.lost++;
        return false;
      }
      to.counters.delivered++;
    }
    this.#flushSoon(to);
    return true;
  }

  /** All that is delivered within one turn of the event loop is flushed together. */
  #flushSoon(port: SwitchPort): void {
    if (port.target.flush === undefined) return;
    if (this.#delivered.size === 0) queueMicrotask(() => this.#flush());
    this.#delivered.add(port);
  }

  #flush(): void {
    const ports = this.#delivered;
    this.#delivered = new Set();
    for (const port of ports) port.target.flush?.();
  }
}

export class SwitchPort {
  readonly target: SwitchTarget;
  readonly floods: FloodBucket;
  readonly counters: PortCounters = { received: 0, refused: 0, limited: 0, delivered: 0, lost: 0 };
  readonly #switch: Switch;
  readonly #vlan: number;
  readonly #trunk: ReadonlySet<number>;
  readonly #carriesAll: boolean;

  /** For `Switch.plug` only. */
  constructor(owner: Switch, target: SwitchTarget, options: PortOptions, floods: FloodBucket) {
    this.#switch = owner;
    this.target = target;
    this.floods = floods;
    this.#vlan = options.vlan ?? 1;
    this.#carriesAll = options.trunk === "all";
    this.#trunk = new Set(options.trunk === "all" ? [] : options.trunk);
    for (const vlan of [this.#vlan, ...this.#trunk]) {
      if (!(Number.isInteger(vlan) && vlan >= 1 && vlan <= MOST_VLAN)) {
        throw new RangeError(`a VLAN is a number from 1 to ${MOST_VLAN}, not ${vlan}`);
      }
    }
  }

  /** A frame from what is plugged in; its bytes are only lent. @returns false where it was lost for want of room. */
  input(frame: Frame): boolean {
    return this.#switch.forward(this, frame);
  }

  /** What is plugged in has room again, after `deliver` gave false. */
  hasRoom(): void {
    this.#switch.room(this);
  }

  unplug(): void {
    this.#switch.unplug(this);
  }

  /** The VLAN of a frame that comes in with this tag, if the port is in it. A tag 0 means no VLAN. */
  vlanFor(tag: number | undefined): number | undefined {
    if (tag === undefined || tag === 0 || tag === this.#vlan) return this.#vlan;
    return this.carries(tag) && tag <= MOST_VLAN ? tag : undefined;
  }

  carries(vlan: number): boolean {
    return vlan === this.#vlan || this.#carriesAll || this.#trunk.has(vlan);
  }

  /** Whether frames of a VLAN leave with a tag. */
  tags(vlan: number): boolean {
    return vlan !== this.#vlan;
  }
}

function refuse(port: SwitchPort): true {
  port.counters.refused++;
  return true;
}

const withTag = (frame: Frame, vlan: number): Frame => reframed(frame, tagged(frame.parts[0], vlan), VLAN_TAG_BYTES);
const withoutTag = (frame: Frame): Frame => reframed(frame, untagged(frame.parts[0]), -VLAN_TAG_BYTES);

/** The frame with another first part, whose headers have moved by some bytes. */
function reframed({ parts, length, offload }: Frame, first: Uint8Array, moved: number): Frame {
  const { checksumStart, headerBytes } = offload;
  return {
    parts: [first, ...parts.slice(1)],
    length: length + moved,
    offload: {
      ...offload,
      checksumStart: checksumStart === 0 ? 0 : Math.max(1, checksumStart + moved),
      headerBytes: headerBytes === 0 ? 0 : Math.max(1, headerBytes + moved),
    },
  };
}
