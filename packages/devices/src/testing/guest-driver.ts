/**
 * A tiny guest driver for tests: negotiates with a transport and lays rings and buffers in guest memory, rightly or,
 * through `descriptor` and `poke`, in any wrong way.
 */
import { GuestMemory, type MmioDevice, RAM_BASE } from "@bulkhead/machine";
import { MmioTransport, Register } from "../mmio-transport.ts";
import { DescriptorFlag, RING_FEATURES, Status } from "../virtio.ts";
import type { VirtioDevice } from "../virtio-device.ts";

const RAM_BYTES = 1024 * 1024;

/** A buffer for a chain: bytes for the device to read, or a number of bytes it may write. */
export type Buffer = Uint8Array | number;

export interface DriverQueue {
  readonly index: number;
  readonly size: number;
  readonly descriptors: number;
  readonly available: number;
  readonly used: number;
  next: number;
  taken: number;
  freeDescriptor: number;
}

export interface Used {
  readonly head: number;
  readonly length: number;
}

export class GuestDriver {
  readonly memory: GuestMemory;
  readonly transport: MmioTransport;
  readonly device: MmioDevice;
  /** The device's interrupt line. */
  level = false;
  #free = RAM_BASE + 0x1000;

  constructor(device: VirtioDevice) {
    this.memory = new GuestMemory(RAM_BYTES, 1);
    this.transport = new MmioTransport(device, this.memory, { set: (level) => (this.level = level) });
    this.device = this.transport;
  }

  get(offset: number): number {
    return this.device.read(offset, 4);
  }

  set(offset: number, value: number): void {
    this.device.write(offset, 4, value);
  }

  get status(): number {
    return this.get(Register.status);
  }

  get needsReset(): boolean {
    return (this.status & Status.needsReset) !== 0;
  }

  offered(): bigint {
    this.set(Register.deviceFeaturesSelect, 0);
    const low = BigInt(this.get(Register.deviceFeatures));
    this.set(Register.deviceFeaturesSelect, 1);
    return low | (BigInt(this.get(Register.deviceFeatures)) << 32n);
  }

  /** Resets the device and negotiates; all that is offered unless said otherwise. @returns whether it was accepted. */
  negotiate(features: bigint = this.offered()): boolean {
    this.set(Register.status, 0);
    this.set(Register.status, Status.acknowledge);
    this.set(Register.status, Status.acknowledge | Status.driver);
    this.set(Register.driverFeaturesSelect, 0);
    this.set(Register.driverFeatures, Number(features & 0xffff_ffffn));
    this.set(Register.driverFeaturesSelect, 1);
    this.set(Register.driverFeatures, Number(features >> 32n));
    this.set(Register.status, this.status | Status.featuresOk);
    return (this.status & Status.featuresOk) !== 0;
  }

  /** Negotiates, sets up the queues and starts. */
  start(queues: number, features?: bigint, size = 16): DriverQueue[] {
    this.negotiate(features);
    const all = Array.from({ length: queues }, (_, index) => this.setUp(index, size));
    this.set(Register.status, this.status | Status.driverOk);
    return all;
  }

  setUp(index: number, size: number): DriverQueue {
    const descriptors = this.allocate(size * 16);
    const available = this.allocate(6 + size * 2);
    const used = this.allocate(6 + size * 8);
    this.set(Register.queueSelect, index);
    this.set(Register.queueSize, size);
    for (const [register, address] of [
      [Register.queueDescriptorLow, descriptors],
      [Register.queueDriverLow, available],
      [Register.queueDeviceLow, used],
    ]) {
      this.set(register, address);
      this.set(register + 4, 0);
    }
    this.set(Register.queueReady, 1);
    return { index, size, descriptors, available, used, next: 0, taken: 0, freeDescriptor: 0 };
  }

  /** Zeroed RAM, aligned to 16 bytes: its physical address. */
  allocate(bytes: number): number {
    const at = this.#free;
    this.#free += (bytes + 15) & ~15;
    if (this.#free > RAM_BASE + RAM_BYTES) throw new Error("the test guest is out of memory");
    return at;
  }

  /** Starts allocating from the first buffer address again. */
  recycle(at: number): void {
    this.#free = at;
  }

  bytes(address: number, length: number): Uint8Array {
    const bytes = this.memory.readable(address, length);
    if (bytes === undefined) throw new Error("not in RAM");
    return bytes;
  }

  poke16(address: number, value: number): void {
    this.memory.view.setUint16(this.memory.offsetOf(address, 2), value, true);
  }

  peek16(address: number): number {
    return this.memory.view.getUint16(this.memory.offsetOf(address, 2), true);
  }

  /** Writes a descriptor into a table. */
  descriptor(table: number, index: number, address: number | bigint, length: number, flags: number, next = 0): void {
    const at = this.memory.offsetOf(table + index * 16, 16);
    this.memory.view.setBigUint64(at, BigInt(address), true);
    this.memory.view.setUint32(at + 8, length, true);
    this.memory.view.setUint16(at + 12, flags, true);
    this.memory.view.setUint16(at + 14, next, true);
  }

  /** Makes the chain that starts at a descriptor available. */
  offer(queue: DriverQueue, head: number): void {
    this.poke16(queue.available + 4 + (queue.next % queue.size) * 2, head);
    queue.next = (queue.next + 1) & 0xffff;
    this.poke16(queue.available + 2, queue.next);
  }

  /** Adds a chain of buffers, one descriptor each. @returns the buffers' addresses. */
  add(queue: DriverQueue, buffers: readonly Buffer[]): number[] {
    const head = queue.freeDescriptor;
    const addresses = buffers.map((buffer) => this.#place(buffer));
    for (const [i, buffer] of buffers.entries()) {
      const index = (head + i) % queue.size;
      const last = i === buffers.length - 1;
      const flags = (typeof buffer === "number" ? DescriptorFlag.write : 0) | (last ? 0 : DescriptorFlag.next);
      const length = typeof buffer === "number" ? buffer : buffer.length;
      this.descriptor(queue.descriptors, index, addresses[i], length, flags, (index + 1) % queue.size);
    }
    queue.freeDescriptor = (head + buffers.length) % queue.size;
    this.offer(queue, head);
    return addresses;
  }

  notify(queue: DriverQueue): void {
    this.set(Register.queueNotify, queue.index);
  }

  /** What the device has completed since the last call. */
  used(queue: DriverQueue): Used[] {
    const found: Used[] = [];
    for (; queue.taken !== this.peek16(queue.used + 2); queue.taken = (queue.taken + 1) & 0xffff) {
      const at = this.memory.offsetOf(queue.used + 4 + (queue.taken % queue.size) * 8, 8);
      const { view } = this.memory;
      found.push({ head: view.getUint32(at, true), length: view.getUint32(at + 4, true) });
    }
    return found;
  }

  /** Takes the interrupt: its causes, or 0. */
  acknowledge(): number {
    const causes = this.get(Register.interruptStatus);
    this.set(Register.interruptAcknowledge, causes);
    return causes;
  }

  #place(buffer: Buffer): number {
    const length = typeof buffer === "number" ? buffer : buffer.length;
    const address = this.allocate(length);
    if (typeof buffer !== "number") this.bytes(address, length).set(buffer);
    return address;
  }
}

/** Offered ring features without those given. */
export const ringFeaturesWithout = (...features: bigint[]): bigint =>
  features.reduce((left, feature) => left & ~feature, RING_FEATURES);
