/**
 * Network device: queue 0 takes frames to the guest, queue 1 from it, queue 2 commands. Checksums and the cutting of
 * large segments are left to whoever needs them done, which between guest and NAT is nobody. @spec virtio "Network Device"
 */
import { canTake, type Frame, MAX_FRAME_BYTES } from "@bulkhead/network";
import type { Chain } from "../chain.ts";
import type { Virtqueue } from "../queue.ts";
import { DeviceId } from "../virtio.ts";
import type { DeviceTransport, VirtioDevice } from "../virtio-device.ts";
import type { NetBackend } from "./backend.ts";
import { abilitiesOf, GUEST_OFFLOADS, LEAST_MTU, MOST_MTU, NET_FEATURES, NetFeature, netConfig } from "./config.ts";
import { type ControlTarget, control, MAX_COMMAND_BYTES } from "./control.ts";
import { encodeHeader, HEADER_BYTES, parseHeader } from "./header.ts";
import { ReceiveFilter } from "./receive-filter.ts";
import { checkNetState, NET_STATE_VERSION, type NetState } from "./state.ts";

const RECEIVE = 0;
const TRANSMIT = 1;
const CONTROL = 2;
/** Drivers without mergeable buffers lend 64 KiB and some pages per frame. */
const MAX_CHAIN_BYTES = 128 * 1024;
const ETHERNET_BYTES = 14;
/** Slices of the guest after a frame in which another one is to be expected. */
const LIVELY_SLICES = 64;
/** Frames moved per call and direction: a flood must not hold the machine's thread. */
const PORTION_FRAMES = 256;

export interface NetOptions {
  /** Six bytes. */
  readonly mac: Uint8Array;
  /** Bytes of a packet on this link; 1500 unless said otherwise. */
  readonly mtu?: number;
}

export class Net implements VirtioDevice, ControlTarget {
  readonly id = DeviceId.net;
  readonly queues = [
    { size: 512, maxChainBytes: MAX_CHAIN_BYTES },
    { size: 256, maxChainBytes: MAX_CHAIN_BYTES },
    { size: 64, maxChainBytes: MAX_CHAIN_BYTES },
  ];
  readonly features = NET_FEATURES;
  readonly filter: ReceiveFilter;
  config: Uint8Array<ArrayBuffer>;
  readonly #backend: NetBackend;
  readonly #mtu: number;
  #linkUp = true;
  #offloads = 0n;
  #busy = false;
  /** Frames were left with the driver for want of room, or with the backend for want of buffers. */
  #stalled = false;
  #starved = false;
  /** Calls of `work` for which the guest's traffic counts as lively. */
  #lively = 0;
  #transport!: DeviceTransport;

  constructor(backend: NetBackend, { mac, mtu = 1500 }: NetOptions) {
    if (mtu < LEAST_MTU || mtu > MOST_MTU) throw new Error(`an MTU is ${LEAST_MTU} to ${MOST_MTU}, not ${mtu}`);
    this.#backend = backend;
    this.#mtu = mtu;
    this.filter = new ReceiveFilter(mac);
    this.config = netConfig(mac, mtu, true);
  }

  /** Frames may be left although there are buffers or room for them: `work` is to be called soon. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Frames move: the guest's slices should be short, so that they don't wait for its end. */
  get lively(): boolean {
    return this.#lively > 0;
  }

  attach(transport: DeviceTransport): void {
    this.#transport = transport;
  }

  ready(): void {
    this.setOffloads(this.#transport.features & GUEST_OFFLOADS);
  }

  notify(queue: number): void {
    if (queue === CONTROL) this.#command();
    if (queue === RECEIVE) this.#starved = false;
    if (queue === TRANSMIT) this.#collect();
    // Answers may have come meanwhile: they need no wake-up of their own then.
    this.#deliver();
    this.#backend.flush();
  }

  /** Moves frames both ways as far as there is room. To be called when the backend may have frames or room. */
  work(): void {
    const collect = this.#stalled || this.#busy;
    this.#busy = false;
    if (this.#lively > 0) this.#lively--;
    if (!this.#transport.running) this.#discard();
    else {
      if (collect) this.#collect();
      this.#deliver();
      this.#transport.signal();
    }
    this.#backend.settle();
  }

  reset(): void {
    this.#busy = false;
    this.#stalled = false;
    this.#starved = false;
    this.filter.reset();
    this.#describe();
    this.setOffloads(0n);
  }

  /** Plugs or unplugs the cable as the guest sees it. */
  setLink(up: boolean): void {
    if (up === this.#linkUp) return;
    this.#linkUp = up;
    this.#describe();
    this.#transport.configChanged();
  }

  get negotiated(): bigint {
    return this.#transport.features;
  }

  setOffloads(offloads: bigint): void {
    this.#offloads = offloads;
    this.#backend.accept(abilitiesOf(offloads));
  }

  macChanged(): void {
    this.#describe();
  }

  save(): NetState {
    return {
      version: NET_STATE_VERSION,
      mtu: this.#mtu,
      linkUp: this.#linkUp,
      offloads: this.#offloads,
      filter: this.filter.save(),
    };
  }

  /** Errors: `StateError`. */
  restore(saved: unknown): void {
    const state = checkNetState(saved, this.#mtu);
    this.#linkUp = state.linkUp;
    this.filter.restore(state.filter);
    this.#describe();
    this.setOffloads(state.offloads);
    this.#starved = false;
    this.#busy = true;
  }

  #describe(): void {
    this.config = netConfig(this.filter.mac, this.#mtu, this.#linkUp);
  }

  /** Takes frames from the guest as long as there is room for them; the others stay in its queue. */
  #collect(): void {
    const queue = this.#transport.queue(TRANSMIT);
    this.#stalled = false;
    for (let frames = 0; ; frames++) {
      if (!this.#backend.room) {
        this.#stalled = true;
        return;
      }
      if (frames === PORTION_FRAMES) {
        this.#busy = true;
        return;
      }
      const chain = queue.next();
      if (chain === undefined) return;
      this.#send(chain);
      chain.complete();
    }
  }

  #send(chain: Chain): void {
    if (chain.readable < HEADER_BYTES) {
      this.#transport.fail("a frame lacks its header");
      return;
    }
    const header = chain.read(HEADER_BYTES);
    const length = chain.readable;
    const offload = parseHeader(header, length);
    if (offload === undefined || !this.#linkUp || length < ETHERNET_BYTES || length > MAX_FRAME_BYTES) return;
    this.#backend.send(chain.readViews(length), length, offload);
    this.#lively = LIVELY_SLICES;
  }

  /** Gives the guest its frames as long as it has buffers; the others stay with the backend. */
  #deliver(): void {
    if (!this.#transport.running || this.#starved) return;
    const queue = this.#transport.queue(RECEIVE);
    for (let frames = 0; ; frames++) {
      const frame = this.#backend.next();
      if (frame === undefined) return;
      if (frames === PORTION_FRAMES) {
        this.#busy = true;
        return;
      }
      if (this.#wanted(frame) && !this.#give(queue, frame)) return;
      this.#backend.drop();
    }
  }

  #wanted({ parts, length, offload }: Frame): boolean {
    if (!this.#linkUp || length < ETHERNET_BYTES || !canTake(abilitiesOf(this.#offloads), offload)) return false;
    return this.filter.wants(parts[0]);
  }

  /** @returns whether the frame is done with: false where buffers are missing. */
  #give(queue: Virtqueue, frame: Frame): boolean {
    const chains = this.#gather(queue, HEADER_BYTES + frame.length);
    if (chains === undefined) return false;
    if (chains.length === 0) return true;
    queue.together(() => {
      fill(chains, encodeHeader(frame.offload, chains.length), frame.parts);
      for (const chain of chains) chain.complete();
    });
    return true;
  }

  /** Buffers for so many bytes; undefined where there are too few, none where they are too small and don't merge. */
  #gather(queue: Virtqueue, bytes: number): Chain[] | undefined {
    const mergeable = (this.#transport.features & NetFeature.mergeableBuffers) !== 0n;
    const chains: Chain[] = [];
    for (let left = bytes; left > 0; ) {
      const chain = queue.next();
      if (chain === undefined) {
        queue.rewind(chains.length);
        this.#starved = true;
        return undefined;
      }
      if (chain.writable < HEADER_BYTES) {
        this.#transport.fail("a receive buffer has no room for a header");
        return undefined;
      }
      if (!mergeable && chain.writable < bytes) {
        queue.rewind(1);
        return [];
      }
      chains.push(chain);
      left -= chain.writable;
    }
    return chains;
  }

  /** What comes while no driver listens is lost. */
  #discard(): void {
    while (this.#backend.next() !== undefined) this.#backend.drop();
  }

  #command(): void {
    const queue = this.#transport.queue(CONTROL);
    for (let chain = queue.next(); chain !== undefined; chain = queue.next()) {
      if (chain.writable < 1) {
        this.#transport.fail("a command has no room for its answer");
        return;
      }
      chain.write(Uint8Array.of(control(this, chain.read(MAX_COMMAND_BYTES))));
      chain.complete();
    }
  }
}

/** Writes header and frame into the buffers, one after the other. */
function fill(chains: readonly Chain[], header: Uint8Array, parts: readonly Uint8Array[]): void {
  let index = 0;
  for (const part of [header, ...parts]) {
    for (let at = 0; at < part.length && index < chains.length; ) {
      at += chains[index].write(part.subarray(at));
      if (chains[index].writable === 0) index++;
    }
  }
}
