/** A machine with the devices in its slots, as it is held, saved and restored. Who calls it: `GuestMachine`. */
import {
  type BlockBackend,
  DeviceId,
  LayeredDisk,
  type MmioTransport,
  RawImage,
  type VirtioDevice,
} from "@bulkhead/devices";
import { HostFile } from "@bulkhead/devices/node";
import { expectState, type Machine } from "@bulkhead/machine";
import { HostError } from "../host-error.ts";
import { Order } from "../partition/wiring.ts";
import type { DeviceState, FrozenLayer, HeldMachine, PartitionState } from "../snapshot/saved-machine.ts";
import type { HoldTarget } from "./holder.ts";

export interface SlotDevice {
  readonly device: VirtioDevice;
  readonly transport: MmioTransport;
}

export class SavedDevices implements HoldTarget {
  readonly #machine: Machine;
  readonly #slots: readonly SlotDevice[];
  readonly #disks: readonly unknown[];
  readonly #work: () => void;
  readonly #order: Int32Array;

  /** @param disks of the machine, those that keep writes aside are `LayeredDisk`s. @param work goes on with requests. @param order of the owner. */
  constructor(
    machine: Machine,
    slots: readonly SlotDevice[],
    disks: readonly unknown[],
    work: () => void,
    order: Int32Array,
  ) {
    this.#machine = machine;
    this.#slots = slots;
    this.#disks = disks;
    this.#work = work;
    this.#order = order;
  }

  get ending(): boolean {
    return Atomics.load(this.#order, 0) !== Order.run;
  }

  hold(): void {
    this.#machine.hold();
  }

  release(): void {
    this.#machine.release();
  }

  settle(): boolean {
    this.#work();
    return this.#slots.every(({ device }) => device.settled !== false);
  }

  save(): Omit<HeldMachine, "pausedMs"> {
    const { memory, copies } = this.#machine;
    if (copies === undefined) {
      throw new HostError("snapshot-failed", "the machine was not started as one that can be saved");
    }
    const devices = this.#slots.map(saveDevice);
    const layers = this.#disks.flatMap((disk, index) => (disk instanceof LayeredDisk ? [freeze(disk, index)] : []));
    const machine = this.#machine.save();
    this.#machine.holdPages();
    const { buffer, ramOffset, ramSize } = memory;
    const diskBytes = this.#disks.map((disk) => (disk instanceof LayeredDisk ? disk.size : undefined));
    return { state: { machine, devices }, layers, diskBytes, memory: { buffer, ramOffset, ramSize, copies } };
  }
}

function saveDevice({ device, transport }: SlotDevice): DeviceState {
  if (device.save === undefined || device.restore === undefined) {
    const name = Object.entries(DeviceId).find(([, id]) => id === device.id)?.[0] ?? "unknown";
    throw new HostError("snapshot-failed", `a machine with a virtio device of the kind "${name}" cannot be saved`);
  }
  return { id: device.id, transport: transport.save(), device: device.save() };
}

function freeze(disk: LayeredDisk, index: number): FrozenLayer {
  const { layer, upper } = disk.freeze();
  return { disk: index, descriptor: descriptorOf(upper), ...layer.changed() };
}

function descriptorOf(upper: BlockBackend): number {
  if (upper instanceof RawImage && upper.file instanceof HostFile) return upper.file.descriptor;
  throw new Error("a layer of a disk is not in a file");
}

/** Errors: `StateError` for the state of other devices. */
export function restoreMachine(
  machine: Machine,
  slots: readonly SlotDevice[],
  { machine: state, devices }: PartitionState,
): void {
  const ids = (list: readonly { readonly id: number }[]): string => list.map(({ id }) => id).join();
  expectState("a partition", "devices", ids(slots.map(({ device }) => device)), ids(devices));
  for (const [index, { device, transport }] of slots.entries()) {
    transport.restore(devices[index].transport);
    device.restore?.(devices[index].device);
  }
  machine.restore(state);
  for (const { transport } of slots) transport.kick();
}
