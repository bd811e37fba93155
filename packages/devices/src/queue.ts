/**
 * Split virtqueue, the device's side. All that a guest writes into the rings is checked; what is wrong is reported to
 * the transport, which asks the driver for a reset. @spec virtio "Split Virtqueues". Who calls it: transport, devices.
 */
import type { GuestMemory } from "@bulkhead/machine";
import { Chain } from "./chain.ts";
import { type Segments, walkDescriptors } from "./descriptor-walk.ts";
import { DESCRIPTOR_BYTES, Feature } from "./virtio.ts";

/** What a device says about one of its queues. */
export interface QueueShape {
  /** Most descriptors, a power of two up to 32768: the ring's largest size and the longest chain. */
  readonly size: number;
  /** Most bytes in a chain: bounds the work that one request, or descriptors that overlap, can cause. */
  readonly maxChainBytes: number;
}

/** Where the driver has put a queue. Physical addresses; numbers, since RAM ends far below 2^53. */
export interface QueueLayout {
  readonly size: number;
  readonly descriptors: number;
  readonly driver: number;
  readonly device: number;
}

export interface QueueState {
  readonly layout: QueueLayout;
  readonly nextAvailable: number;
  readonly nextUsed: number;
  readonly signalled: number;
}

/** Byte offsets in the wasm memory of the three parts. */
interface Rings extends QueueLayout {
  readonly descriptorOffset: number;
  readonly driverOffset: number;
  readonly deviceOffset: number;
}

const NO_INTERRUPT = 1;

export class Virtqueue {
  readonly shape: QueueShape;
  readonly #memory: GuestMemory;
  readonly #halves: Uint16Array;
  readonly #fail: (reason: string) => void;
  #rings: Rings | undefined;
  #eventIndex = false;
  #indirect = false;
  #nextAvailable = 0;
  #nextUsed = 0;
  #grouping = false;
  /** The used index when the driver was last considered for an interrupt. */
  #signalled = 0;

  /** @param fail is told, in a sentence, what the guest did wrong; from then on the queue gives nothing. */
  constructor(memory: GuestMemory, shape: QueueShape, fail: (reason: string) => void) {
    this.#memory = memory;
    this.shape = shape;
    this.#halves = new Uint16Array(memory.buffer);
    this.#fail = fail;
  }

  get ready(): boolean {
    return this.#rings !== undefined;
  }

  /** Starts the queue where the driver put it. @returns what is wrong with the layout, if anything. */
  enable(layout: QueueLayout, features: bigint): string | undefined {
    const rings = this.#place(layout);
    if (typeof rings === "string") return rings;
    this.#rings = rings;
    this.#eventIndex = (features & Feature.eventIndex) !== 0n;
    this.#indirect = (features & Feature.indirectDescriptors) !== 0n;
    this.#nextAvailable = 0;
    this.#nextUsed = 0;
    this.#signalled = 0;
    return undefined;
  }

  disable(): void {
    this.#rings = undefined;
  }

  /** The next chain the driver made available, or undefined. While there is none, the driver is asked to notify. */
  next(): Chain | undefined {
    const rings = this.#rings;
    if (rings === undefined || !this.#hasNext(rings)) return undefined;
    const head = this.#load(rings.driverOffset + 4 + (this.#nextAvailable & (rings.size - 1)) * 2);
    const table = { offset: rings.descriptorOffset, size: rings.size };
    const { size, maxChainBytes } = this.shape;
    const limits = { indirect: this.#indirect, maxDescriptors: size, maxBytes: maxChainBytes };
    const segments: Segments | string = walkDescriptors(this.#memory, table, head, limits);
    if (typeof segments === "string") return this.#refuse(segments);
    this.#nextAvailable = (this.#nextAvailable + 1) & 0xffff;
    return new Chain(this.#memory, segments, (written) => this.#push(rings, head, written));
  }

  /** Puts the last `count` chains that were taken, and not completed, back: the next ones are the same again. */
  rewind(count: number): void {
    this.#nextAvailable = (this.#nextAvailable - count) & 0xffff;
  }

  /** Lets the driver see all chains that are completed by `work` at once. */
  together(work: () => void): void {
    this.#grouping = true;
    work();
    this.#grouping = false;
    if (this.#rings !== undefined) this.#store(this.#rings.deviceOffset + 2, this.#nextUsed);
  }

  /** Whether chains were completed for which the driver wants an interrupt now. Each completion is considered once. */
  takeSignal(): boolean {
    const rings = this.#rings;
    if (rings === undefined || this.#signalled === this.#nextUsed) return false;
    const before = this.#signalled;
    this.#signalled = this.#nextUsed;
    if (!this.#eventIndex) return (this.#load(rings.driverOffset) & NO_INTERRUPT) === 0;
    const usedEvent = this.#load(rings.driverOffset + 4 + rings.size * 2);
    return ((this.#nextUsed - usedEvent - 1) & 0xffff) < ((this.#nextUsed - before) & 0xffff);
  }

  save(): QueueState | undefined {
    if (this.#rings === undefined) return undefined;
    const { size, descriptors, driver, device } = this.#rings;
    return {
      layout: { size, descriptors, driver, device },
      nextAvailable: this.#nextAvailable,
      nextUsed: this.#nextUsed,
      signalled: this.#signalled,
    };
  }

  /** @returns what is wrong with the state, if anything. */
  restore(state: QueueState | undefined, features: bigint): string | undefined {
    this.disable();
    if (state === undefined) return undefined;
    const wrong = this.enable(state.layout, features);
    if (wrong !== undefined) return wrong;
    this.#nextAvailable = state.nextAvailable & 0xffff;
    this.#nextUsed = state.nextUsed & 0xffff;
    this.#signalled = state.signalled & 0xffff;
    return undefined;
  }

  #place(layout: QueueLayout): Rings | string {
    const { size, descriptors, driver, device } = layout;
    if (size < 1 || size > this.shape.size || (size & (size - 1)) !== 0) {
      return `queue size ${size} is not a power of two up to ${this.shape.size}`;
    }
    if (descriptors % 16 !== 0 || driver % 2 !== 0 || device % 4 !== 0) return "a part of a queue is not aligned";
    const descriptorOffset = this.#memory.offsetOf(descriptors, size * DESCRIPTOR_BYTES);
    const driverOffset = this.#memory.offsetOf(driver, 6 + size * 2);
    const deviceOffset = this.#memory.offsetOf(device, 6 + size * 8);
    if (Math.min(descriptorOffset, driverOffset, deviceOffset) < 0) return "a part of a queue is not in RAM";
    return { ...layout, descriptorOffset, driverOffset, deviceOffset };
  }

  /** Whether the driver has made something available. If not, says so in the ring and looks again: it may just have. */
  #hasNext(rings: Rings): boolean {
    const waiting = this.#waiting(rings);
    if (waiting !== 0 || !this.#eventIndex) return this.#plausible(waiting, rings);
    const event = 4 + rings.size * 8;
    this.#memory.onWrite(rings.device + event, 2);
    this.#store(rings.deviceOffset + event, this.#nextAvailable);
    return this.#plausible(this.#waiting(rings), rings);
  }

  #waiting(rings: Rings): number {
    return (this.#load(rings.driverOffset + 2) - this.#nextAvailable) & 0xffff;
  }

  #plausible(waiting: number, rings: Rings): boolean {
    if (waiting > rings.size) this.#refuse(`the available index is ${waiting} ahead in a queue of ${rings.size}`);
    return waiting > 0 && waiting <= rings.size;
  }

  /** Nothing more is taken from a queue whose driver broke the rules. */
  #refuse(reason: string): undefined {
    this.disable();
    this.#fail(reason);
    return undefined;
  }

  /** Appends to the used ring: first the element, then the index that makes it visible. */
  #push(rings: Rings, head: number, written: number): void {
    if (this.#rings !== rings) return;
    const element = 4 + (this.#nextUsed & (rings.size - 1)) * 8;
    this.#memory.onWrite(rings.device, 4);
    this.#memory.onWrite(rings.device + element, 8);
    this.#memory.view.setUint32(rings.deviceOffset + element, head, true);
    this.#memory.view.setUint32(rings.deviceOffset + element + 4, written, true);
    this.#nextUsed = (this.#nextUsed + 1) & 0xffff;
    if (!this.#grouping) this.#store(rings.deviceOffset + 2, this.#nextUsed);
  }

  #load(offset: number): number {
    return Atomics.load(this.#halves, offset / 2);
  }

  #store(offset: number, value: number): void {
    Atomics.store(this.#halves, offset / 2, value);
  }
}
