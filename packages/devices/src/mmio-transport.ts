/**
 * virtio over MMIO, version 2: the registers, feature negotiation and the life of a device from reset to DRIVER_OK.
 * @spec virtio "Virtio Over MMIO", "Device Initialization". What a guest does wrong ends in DEVICE_NEEDS_RESET.
 */
import type { GuestMemory, InterruptLine, MmioDevice } from "@bulkhead/machine";
import { Virtqueue } from "./queue.ts";
import { checkTransportState, TRANSPORT_STATE_VERSION, type TransportState } from "./transport-state.ts";
import { Feature, Interrupt, RING_FEATURES, Status } from "./virtio.ts";
import type { DeviceTransport, VirtioDevice } from "./virtio-device.ts";

const MAGIC = 0x7472_6976;
const VERSION = 2;
const VENDOR = 0x4b4c_5542;
const CONFIG = 0x100;

/** @spec virtio "MMIO Device Register Layout" */
export const Register = {
  magic: 0x000,
  version: 0x004,
  deviceId: 0x008,
  vendorId: 0x00c,
  deviceFeatures: 0x010,
  deviceFeaturesSelect: 0x014,
  driverFeatures: 0x020,
  driverFeaturesSelect: 0x024,
  queueSelect: 0x030,
  queueSizeMax: 0x034,
  queueSize: 0x038,
  queueReady: 0x044,
  queueNotify: 0x050,
  interruptStatus: 0x060,
  interruptAcknowledge: 0x064,
  status: 0x070,
  queueDescriptorLow: 0x080,
  queueDescriptorHigh: 0x084,
  queueDriverLow: 0x090,
  queueDriverHigh: 0x094,
  queueDeviceLow: 0x0a0,
  queueDeviceHigh: 0x0a4,
  sharedMemoryLengthLow: 0x0b0,
  sharedMemoryLengthHigh: 0x0b4,
  sharedMemoryBaseLow: 0x0b8,
  sharedMemoryBaseHigh: 0x0bc,
  configGeneration: 0x0fc,
  config: CONFIG,
} as const;

/** What the driver has written about a queue that is not ready yet: unsigned 32-bit values. */
interface QueueSetup {
  size: number;
  /** Low and high halves of the addresses of descriptors, driver area and device area. */
  readonly addresses: Uint32Array;
}

const emptySetup = (): QueueSetup => ({ size: 0, addresses: new Uint32Array(6) });

/** Which half of which address a register is, in the order of `QueueSetup.addresses`. */
const addressRegisters: readonly number[] = [
  Register.queueDescriptorLow,
  Register.queueDescriptorHigh,
  Register.queueDriverLow,
  Register.queueDriverHigh,
  Register.queueDeviceLow,
  Register.queueDeviceHigh,
];

/** A slot without a device: drivers leave device id 0 alone. */
export const emptySlot: MmioDevice = {
  read: (offset) => (offset === Register.magic ? MAGIC : offset === Register.version ? VERSION : 0),
  write: () => {},
};

export class MmioTransport implements MmioDevice, DeviceTransport {
  readonly #device: VirtioDevice;
  readonly #line: InterruptLine;
  readonly #queues: readonly Virtqueue[];
  readonly #offered: bigint;
  #setups: QueueSetup[] = [];
  #status = 0;
  #driverFeatures = 0n;
  #deviceFeaturesSelect = 0;
  #driverFeaturesSelect = 0;
  #queueSelect = 0;
  #interrupts = 0;
  #generation = 0;
  #failure: string | undefined;

  constructor(device: VirtioDevice, memory: GuestMemory, line: InterruptLine) {
    this.#device = device;
    this.#line = line;
    this.#queues = device.queues.map((shape) => new Virtqueue(memory, shape, (reason) => this.fail(reason)));
    this.#offered = device.features | RING_FEATURES;
    this.#setups = this.#queues.map(emptySetup);
    device.attach(this);
  }

  get features(): bigint {
    return (this.#status & Status.featuresOk) !== 0 ? this.#driverFeatures : 0n;
  }

  get running(): boolean {
    return (this.#status & (Status.driverOk | Status.needsReset)) === Status.driverOk;
  }

  /** What the guest did wrong since the last reset, if anything. For diagnosis on the host. */
  get failure(): string | undefined {
    return this.#failure;
  }

  queue(index: number): Virtqueue {
    return this.#queues[index];
  }

  signal(): void {
    let wanted = false;
    for (const queue of this.#queues) wanted = queue.takeSignal() || wanted;
    if (wanted) this.#interrupt(Interrupt.usedBuffer);
  }

  configChanged(): void {
    this.#generation = (this.#generation + 1) >>> 0;
    if ((this.#status & Status.driverOk) !== 0) this.#interrupt(Interrupt.configChange);
  }

  fail(reason: string): void {
    if ((this.#status & Status.needsReset) !== 0) return;
    this.#failure = reason;
    this.#status |= Status.needsReset;
    for (const queue of this.#queues) queue.disable();
    if ((this.#status & Status.driverOk) !== 0) this.#interrupt(Interrupt.configChange);
  }

  read(offset: number, bytes: number): number {
    if (offset >= CONFIG) return this.#readConfig(offset - CONFIG, bytes);
    return bytes === 4 ? this.#readRegister(offset) >>> 0 : 0;
  }

  write(offset: number, bytes: number, value: number): void {
    if (bytes !== 4) return;
    const half = addressRegisters.indexOf(offset);
    if (offset >= CONFIG) this.#device.configure?.(offset - CONFIG, value >>> 0);
    else if (half >= 0) this.#setAddress(half, value);
    else this.#writeRegister(offset, value >>> 0);
  }

  /** The transport's state; the device's own is separate. */
  save(): TransportState {
    return {
      version: TRANSPORT_STATE_VERSION,
      deviceId: this.#device.id,
      status: this.#status,
      driverFeatures: this.#driverFeatures,
      deviceFeaturesSelect: this.#deviceFeaturesSelect,
      driverFeaturesSelect: this.#driverFeaturesSelect,
      queueSelect: this.#queueSelect,
      interrupts: this.#interrupts,
      generation: this.#generation,
      setups: this.#setups.map(({ size, addresses }) => ({ size, addresses: [...addresses] })),
      queues: this.#queues.map((queue) => queue.save() ?? null),
    };
  }

  /** Takes a state over. Errors: `StateError` if it is of another version or device, before anything is touched. */
  restore(saved: unknown): void {
    const state = checkTransportState(saved, this.#device.id, this.#queues.length, this.#offered);
    this.#status = state.status;
    this.#failure = undefined;
    this.#driverFeatures = state.driverFeatures;
    this.#deviceFeaturesSelect = state.deviceFeaturesSelect;
    this.#driverFeaturesSelect = state.driverFeaturesSelect;
    this.#queueSelect = state.queueSelect;
    this.#interrupts = state.interrupts;
    this.#generation = state.generation;
    this.#setups = state.setups.map(({ size, addresses }) => ({ size, addresses: Uint32Array.from(addresses) }));
    for (const [index, queue] of this.#queues.entries()) {
      const wrong = queue.restore(state.queues[index] ?? undefined, this.features);
      if (wrong !== undefined) this.fail(wrong);
    }
    this.#line.set(this.#interrupts !== 0);
  }

  /** Looks into every queue as if its driver had just told of it: what it left there before a restore is served. */
  kick(): void {
    if (!this.running) return;
    for (const [index, queue] of this.#queues.entries()) if (queue.ready) this.#device.notify(index);
    this.signal();
  }

  #readRegister(offset: number): number {
    switch (offset) {
      case Register.magic:
        return MAGIC;
      case Register.version:
        return VERSION;
      case Register.deviceId:
        return this.#device.id;
      case Register.vendorId:
        return VENDOR;
      case Register.deviceFeatures:
        return half(this.#offered, this.#deviceFeaturesSelect);
      case Register.queueSizeMax:
        return this.#queues[this.#queueSelect]?.shape.size ?? 0;
      case Register.queueReady:
        return this.#queues[this.#queueSelect]?.ready ? 1 : 0;
      case Register.interruptStatus:
        return this.#interrupts;
      case Register.status:
        return this.#status;
      case Register.sharedMemoryLengthLow:
      case Register.sharedMemoryLengthHigh:
      case Register.sharedMemoryBaseLow:
      case Register.sharedMemoryBaseHigh:
        return 0xffff_ffff;
      case Register.configGeneration:
        return this.#generation;
      default:
        return 0;
    }
  }

  #writeRegister(offset: number, value: number): void {
    switch (offset) {
      case Register.deviceFeaturesSelect:
        this.#deviceFeaturesSelect = value;
        return;
      case Register.driverFeatures:
        this.#setDriverFeatures(value);
        return;
      case Register.driverFeaturesSelect:
        this.#driverFeaturesSelect = value;
        return;
      case Register.queueSelect:
        this.#queueSelect = value;
        return;
      case Register.queueSize:
        this.#setSize(value);
        return;
      case Register.queueReady:
        this.#setReady(value);
        return;
      case Register.queueNotify:
        this.#notify(value);
        return;
      case Register.interruptAcknowledge:
        this.#interrupts &= ~value;
        this.#line.set(this.#interrupts !== 0);
        return;
      case Register.status:
        if (value === 0) this.reset();
        else this.#advance(value);
        return;
    }
  }

  #readConfig(offset: number, bytes: number): number {
    const { config } = this.#device;
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = value * 256 + (config[offset + i] ?? 0);
    return value;
  }

  /** After FEATURES_OK the features are settled. */
  #setDriverFeatures(value: number): void {
    if ((this.#status & Status.featuresOk) !== 0 || this.#driverFeaturesSelect > 1) return;
    const shift = BigInt(this.#driverFeaturesSelect * 32);
    this.#driverFeatures = (this.#driverFeatures & ~(0xffff_ffffn << shift)) | (BigInt(value) << shift);
  }

  /** A queue's size and addresses can be set only while it is not ready. */
  #setup(): QueueSetup | undefined {
    return this.#queues[this.#queueSelect]?.ready ? undefined : this.#setups[this.#queueSelect];
  }

  #setSize(value: number): void {
    const setup = this.#setup();
    if (setup !== undefined) setup.size = value;
  }

  #setAddress(half: number, value: number): void {
    const setup = this.#setup();
    if (setup !== undefined) setup.addresses[half] = value;
  }

  #setReady(value: number): void {
    const queue = this.#queues[this.#queueSelect];
    if (queue === undefined) return;
    if ((value & 1) === 0) queue.disable();
    else if (!queue.ready) this.#enable(queue, this.#setups[this.#queueSelect]);
  }

  #enable(queue: Virtqueue, { size, addresses }: QueueSetup): void {
    if ((this.#status & (Status.featuresOk | Status.needsReset)) !== Status.featuresOk) return;
    const [descriptors, driver, device] = [0, 2, 4].map((i) => addresses[i] + addresses[i + 1] * 2 ** 32);
    const wrong = queue.enable({ size, descriptors, driver, device }, this.#driverFeatures);
    if (wrong !== undefined) this.fail(wrong);
  }

  #notify(queue: number): void {
    if (!this.running || !this.#queues[queue]?.ready) return;
    this.#device.notify(queue);
    this.signal();
  }

  /** Status bits only ever get added, and each needs the ones before it. */
  #advance(value: number): void {
    let added = value & ~this.#status & (Status.acknowledge | Status.driver | Status.failed);
    if ((value & Status.featuresOk) !== 0 && this.#acceptable()) added |= Status.featuresOk;
    const settled =
      ((this.#status | added) & (Status.featuresOk | Status.driver)) === (Status.featuresOk | Status.driver);
    const starts = (value & ~this.#status & Status.driverOk) !== 0 && settled;
    this.#status |= added | (starts ? Status.driverOk : 0);
    if (starts) this.#start();
  }

  /** A driver may accept only what was offered, and must accept VERSION_1, since there is no legacy interface. */
  #acceptable(): boolean {
    return (this.#driverFeatures & ~this.#offered) === 0n && (this.#driverFeatures & Feature.version1) !== 0n;
  }

  #start(): void {
    if (!this.running) {
      this.#interrupt(Interrupt.configChange);
      return;
    }
    this.#device.ready?.();
    for (let queue = 0; queue < this.#queues.length; queue++) this.#notify(queue);
    this.signal();
  }

  /** As after power-on: what the driver asks for by writing status 0, and what a reset of the machine does. */
  reset(): void {
    for (const queue of this.#queues) queue.disable();
    this.#setups = this.#queues.map(emptySetup);
    this.#status = 0;
    this.#failure = undefined;
    this.#driverFeatures = 0n;
    this.#interrupts = 0;
    this.#line.set(false);
    this.#device.reset?.();
  }

  #interrupt(cause: number): void {
    this.#interrupts |= cause;
    this.#line.set(true);
  }
}

/** The 32 feature bits that a selector shows. */
function half(features: bigint, select: number): number {
  return Number((features >> BigInt(select * 32)) & 0xffff_ffffn);
}
