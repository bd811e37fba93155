/**
 * Fuzzes a device as a guest could: random registers, rings and descriptors. It checks that nothing throws, that the
 * device's writes stay within used rings and granted buffers, and that its work is bounded.
 */
import assert from "node:assert/strict";
import { RAM_BASE } from "@bulkhead/machine";
import { Register } from "../mmio-transport.ts";
import { Status } from "../virtio.ts";
import type { VirtioDevice } from "../virtio-device.ts";
import { type DriverQueue, GuestDriver } from "./guest-driver.ts";
import type { Random } from "./random.ts";

const GUARD = RAM_BASE + 0x8_0000;
const GUARD_BYTES = 0x8_0000;
const BUFFERS = RAM_BASE + 0x4_0000;
const BUFFER_BYTES = 0x4_0000;
const SIZE = 8;

export interface FuzzOptions {
  readonly rounds: number;
  /** Content of a readable buffer that makes sense to the device, now and then. */
  plausible(random: Random): Uint8Array;
  /** What the host does between two things the guest does. */
  host?(random: Random): void;
}

/** Runs a guest gone mad against a device. Everything above `GUARD` is never granted and must stay as it is. */
export function fuzzDevice(device: VirtioDevice, random: Random, options: FuzzOptions): void {
  const driver = new GuestDriver(device);
  driver.bytes(GUARD, GUARD_BYTES).fill(0xa5);
  let queues: DriverQueue[] = [];
  for (let round = 0; round < options.rounds; round++) {
    if (queues.length === 0 || driver.needsReset || random.below(64) === 0) queues = restart(driver, device, random);
    mutate(driver, random.pick(queues), random, options);
    options.host?.(random);
  }
  assert.ok(
    driver.bytes(GUARD, GUARD_BYTES).every((byte) => byte === 0xa5),
    "memory that was not granted changed",
  );
}

function restart(driver: GuestDriver, device: VirtioDevice, random: Random): DriverQueue[] {
  driver.recycle(RAM_BASE + 0x1000);
  driver.set(Register.status, 0);
  driver.bytes(RAM_BASE, BUFFERS - RAM_BASE).fill(0);
  assert.equal(driver.status, 0);
  const offered = driver.offered();
  const features = random.below(4) === 0 ? offered & ~(1n << BigInt(random.below(32))) : offered;
  return driver.start(device.queues.length, features, SIZE);
}

function mutate(driver: GuestDriver, queue: DriverQueue, random: Random, options: FuzzOptions): void {
  const width = random.pick([1, 2, 4]);
  const action = random.below(8);
  if (action === 0) driver.device.write(random.below(0x200), width, registerValue(random));
  else if (action === 1) driver.device.read(random.below(0x200), width);
  else if (action === 2) pokeAvailable(driver, queue, random);
  else request(driver, queue, random, options);
}

function pokeAvailable(driver: GuestDriver, queue: DriverQueue, random: Random): void {
  const value = random.pick([random.below(65536), 0, queue.next]);
  driver.poke16(queue.available + random.below(5 + SIZE * 2), value);
}

/** Never values that would put a queue's rings into the guarded memory: that would grant it. */
const registerValue = (random: Random): number =>
  random.pick([random.below(16), random.below(0x4000), BUFFERS + random.below(BUFFER_BYTES / 2), Status.needsReset, 1]);

function request(driver: GuestDriver, queue: DriverQueue, random: Random, options: FuzzOptions): void {
  driver.bytes(BUFFERS, 512).set(options.plausible(random).subarray(0, 512));
  for (let index = 0; index < SIZE; index++) {
    const plain = random.below(10) !== 0;
    const flags = plain ? (index < 2 ? 1 : random.pick([2, 3])) : random.below(8);
    const length = random.pick([1, 8, 16, 512, 512, 513, 4096, random.below(BUFFER_BYTES)]);
    const address = index === 0 ? BUFFERS : BUFFERS + random.below(BUFFER_BYTES - length + 1);
    const wild =
      random.below(40) === 0
        ? random.pick([0, 0xffff_ffff_ffff_fff0n, RAM_BASE - 8, GUARD + GUARD_BYTES - 4])
        : address;
    const next = plain ? index + 1 : random.below(SIZE + 4);
    driver.descriptor(queue.descriptors, index, wild, wild === address ? length : 16, flags, next);
  }
  driver.poke16(queue.available + 2, queue.next);
  driver.offer(queue, random.below(20) === 0 ? random.below(65536) : random.below(3));
  driver.notify(queue);
}
