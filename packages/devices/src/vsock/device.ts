/**
 * Socket device: queue 0 takes packets to the guest, queue 1 from it, queue 2 events. It moves packets; the connections are
 * the host's (host/vsock-host.ts) and the driver's. @spec virtio "Socket Device"
 */
import type { Chain } from "../chain.ts";
import { DeviceId } from "../virtio.ts";
import type { DeviceTransport, VirtioDevice } from "../virtio-device.ts";
import type { VsockBackend } from "./backend.ts";
import {
  encodeVsockHeader,
  MOST_PACKET_BYTES,
  Operation,
  parseVsockHeader,
  resetOf,
  VSOCK_HEADER_BYTES,
  withLength,
} from "./packet.ts";
import { checkVsockState, VSOCK_STATE_VERSION, type VsockState } from "./state.ts";

const RECEIVE = 0;
const TRANSMIT = 1;
const EVENT = 2;
const MAX_CHAIN_BYTES = 128 * 1024;
/** Packets moved per call and direction: a flood must not hold the machine's thread. */
const PORTION_PACKETS = 256;
const STREAM_FEATURE = 1n << 0n;
/** All connections have gone, as after a snapshot. @spec virtio "Device Events" */
const transportReset = (): Uint8Array => new Uint8Array(4);

/** Addresses that a guest can have: 0 to 2 are reserved, and so is the largest. */
export const LEAST_CID = 3;
export const MOST_CID = 0xffff_fffe;

export class Vsock implements VirtioDevice {
  readonly id = DeviceId.vsock;
  readonly queues = [
    { size: 256, maxChainBytes: MAX_CHAIN_BYTES },
    { size: 256, maxChainBytes: MAX_CHAIN_BYTES },
    { size: 16, maxChainBytes: MAX_CHAIN_BYTES },
  ];
  readonly features = STREAM_FEATURE;
  readonly config: Uint8Array<ArrayBuffer>;
  readonly #backend: VsockBackend;
  readonly #cid: number;
  #busy = false;
  /** Packets were left with the driver for want of room, or with the backend for want of buffers. */
  #stalled = false;
  #starved = false;
  /** Bytes of data of the backend's next packet that the driver already has. */
  #delivered = 0;
  #transportReset = false;
  /** The host does not know yet that the guest's connections have ended. */
  #ended = false;
  #transport!: DeviceTransport;

  /** @param cid the guest's address. */
  constructor(backend: VsockBackend, cid: number) {
    if (!(cid >= LEAST_CID && cid <= MOST_CID))
      throw new RangeError(`a CID is ${LEAST_CID} to ${MOST_CID}, not ${cid}`);
    this.#backend = backend;
    this.#cid = cid;
    this.config = new Uint8Array(8);
    new DataView(this.config.buffer).setUint32(0, cid, true);
  }

  /** Packets may be left although there are buffers or room for them: `work` is to be called soon. */
  get busy(): boolean {
    return this.#busy;
  }

  attach(transport: DeviceTransport): void {
    this.#transport = transport;
  }

  notify(queue: number): void {
    if (queue === EVENT) this.#announceReset();
    if (queue === RECEIVE) this.#starved = false;
    if (queue === TRANSMIT) this.#collect();
    this.#deliver();
    this.#backend.flush();
  }

  /** Moves packets both ways as far as there is room. To be called when the backend may have packets or room. */
  work(): void {
    const collect = this.#stalled || this.#busy;
    this.#busy = false;
    if (!this.#transport.running) this.#refuse();
    else {
      if (collect) this.#collect();
      this.#deliver();
      this.#transport.signal();
    }
    this.#backend.flush();
  }

  reset(): void {
    this.#busy = false;
    this.#stalled = false;
    this.#starved = false;
    this.#delivered = 0;
    this.#transportReset = false;
    this.#ended = true;
    this.#tellEnded();
    this.#backend.flush();
  }

  save(): VsockState {
    return { version: VSOCK_STATE_VERSION, cid: this.#cid };
  }

  /** Behind the transport's own; the driver is told that its connections have ended. Errors: `StateError`. */
  restore(saved: unknown): void {
    checkVsockState(saved, this.#cid);
    this.#transportReset = true;
    this.#starved = false;
    this.#delivered = 0;
    this.#busy = true;
    if (!this.#transport.running) return;
    this.#announceReset();
    this.#transport.signal();
  }

  /** @returns whether the host knows, and packets of the next driver may follow. */
  #tellEnded(): boolean {
    if (!this.#ended) return true;
    if (!this.#backend.room) return false;
    this.#backend.send([new Uint8Array(VSOCK_HEADER_BYTES)], VSOCK_HEADER_BYTES);
    this.#ended = false;
    return true;
  }

  #announceReset(): void {
    if (!this.#transportReset) return;
    const chain = this.#transport.queue(EVENT).next();
    if (chain === undefined) return;
    this.#transportReset = false;
    chain.write(transportReset());
    chain.complete();
  }

  /** Takes packets from the guest as long as there is room for them; the others stay in its queue. */
  #collect(): void {
    const queue = this.#transport.queue(TRANSMIT);
    this.#stalled = false;
    for (let packets = 0; ; packets++) {
      if (!this.#tellEnded() || !this.#backend.room) {
        this.#stalled = true;
        return;
      }
      if (packets === PORTION_PACKETS) {
        this.#busy = true;
        return;
      }
      const chain = queue.next();
      if (chain === undefined || !this.#send(chain)) return;
    }
  }

  /** @returns whether the queue can still be used. */
  #send(chain: Chain): boolean {
    if (chain.readable < VSOCK_HEADER_BYTES) {
      this.#transport.fail("a packet lacks its header");
      return false;
    }
    const bytes = chain.read(VSOCK_HEADER_BYTES);
    const header = parseVsockHeader(bytes);
    const whole = header.length <= chain.readable && header.length <= MOST_PACKET_BYTES;
    if (whole && header.sourceCid === this.#cid && header.operation !== Operation.none) {
      this.#backend.send([bytes, ...chain.readViews(header.length)], VSOCK_HEADER_BYTES + header.length);
    }
    chain.complete();
    return true;
  }

  /** Gives the guest its packets as long as it has buffers; the others stay with the backend. */
  #deliver(): void {
    if (!this.#transport.running || this.#starved) return;
    const queue = this.#transport.queue(RECEIVE);
    for (let packets = 0; ; packets++) {
      const packet = this.#backend.next();
      if (packet === undefined) return;
      if (packets === PORTION_PACKETS) {
        this.#busy = true;
        return;
      }
      const chain = queue.next();
      if (chain === undefined) {
        this.#starved = true;
        return;
      }
      if (!this.#give(chain, packet)) return;
    }
  }

  /** Gives as much of a packet as fits into one buffer. */
  #give(chain: Chain, packet: Uint8Array): boolean {
    const left = packet.length - VSOCK_HEADER_BYTES - this.#delivered;
    if (chain.writable < VSOCK_HEADER_BYTES + Math.min(left, 1)) {
      this.#transport.fail("a receive buffer is too small for a packet");
      return false;
    }
    const length = Math.min(left, chain.writable - VSOCK_HEADER_BYTES);
    const start = VSOCK_HEADER_BYTES + this.#delivered;
    chain.write(withLength(packet, length));
    chain.write(packet.subarray(start, start + length));
    chain.complete();
    this.#delivered += length;
    if (length < left) return true;
    this.#backend.drop();
    this.#delivered = 0;
    return true;
  }

  /** While no driver listens, whoever calls is refused. */
  #refuse(): void {
    this.#tellEnded();
    for (let packet = this.#backend.next(); packet !== undefined; packet = this.#backend.next()) {
      const header = parseVsockHeader(packet);
      this.#backend.drop();
      if (header.operation === Operation.reset || !this.#backend.room) continue;
      this.#backend.send([encodeVsockHeader(resetOf(header))], VSOCK_HEADER_BYTES);
    }
  }
}
