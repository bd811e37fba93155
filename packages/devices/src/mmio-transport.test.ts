import assert from "node:assert/strict";
import { test } from "node:test";
import { RAM_BASE } from "@bulkhead/machine";
import { emptySlot, Register } from "./mmio-transport.ts";
import { sealState, unsealState } from "./saved-state.ts";
import { GuestDriver } from "./testing/guest-driver.ts";
import { Feature, Interrupt, RING_FEATURES, Status } from "./virtio.ts";
import type { DeviceTransport, VirtioDevice } from "./virtio-device.ts";

/** A device with two queues of different sizes that records what happens to it. */
function machine() {
  const events: string[] = [];
  const seen: { transport?: DeviceTransport } = {};
  const device: VirtioDevice = {
    id: 42,
    queues: [
      { size: 16, maxChainBytes: 4096 },
      { size: 4, maxChainBytes: 4096 },
    ],
    features: 1n << 5n,
    config: Uint8Array.of(1, 2, 3, 4, 5, 6),
    attach: (transport) => {
      seen.transport = transport;
    },
    ready: () => events.push("ready"),
    notify: (queue) => events.push(`notify ${queue}`),
    reset: () => events.push("reset"),
  };
  const driver = new GuestDriver(device);
  return { driver, events, transport: seen.transport as DeviceTransport };
}

test("registers: identify the device, and other widths are not served", () => {
  const { driver } = machine();
  assert.equal(driver.get(Register.magic), 0x7472_6976);
  assert.equal(driver.get(Register.version), 2);
  assert.equal(driver.get(Register.deviceId), 42);
  assert.equal(driver.get(Register.sharedMemoryLengthLow), 0xffff_ffff);
  assert.equal(driver.device.read(Register.magic, 1), 0);
  driver.device.write(Register.status, 1, 1);
  assert.equal(driver.status, 0);
});

test("emptySlot: has the magic value, version 2 and device id 0", () => {
  assert.deepEqual(
    [0, 4, 8, 0x70].map((offset) => emptySlot.read(offset, 4)),
    [0x7472_6976, 2, 0, 0],
  );
  emptySlot.write(0x70, 4, 1);
});

test("status: the initialisation of Linux and U-Boot reaches DRIVER_OK", () => {
  const { driver, events } = machine();
  assert.equal(driver.offered(), RING_FEATURES | (1n << 5n));
  driver.start(2, undefined, 4);
  assert.equal(driver.status, 0x0f);
  assert.deepEqual(events, ["reset", "ready", "notify 0", "notify 1"]);
});

test("features: FEATURES_OK is refused for bits that were not offered and without VERSION_1", () => {
  const { driver, transport } = machine();
  for (const wrong of [Feature.version1 | 1n, Feature.version1 | (1n << 40n), 1n << 5n, 0n]) {
    assert.equal(driver.negotiate(wrong), false, `features ${wrong.toString(16)}`);
    driver.set(Register.status, driver.status | Status.driverOk);
    assert.equal(driver.status & Status.driverOk, 0);
    assert.equal(transport.features, 0n);
  }
  assert.equal(driver.negotiate(Feature.version1), true);
  assert.equal(transport.features, Feature.version1);
});

test("features: are settled after FEATURES_OK, and there are none beyond 64", () => {
  const { driver, transport } = machine();
  driver.set(Register.deviceFeaturesSelect, 2);
  assert.equal(driver.get(Register.deviceFeatures), 0);
  driver.negotiate(Feature.version1);
  driver.set(Register.driverFeaturesSelect, 0);
  driver.set(Register.driverFeatures, 0xffff_ffff);
  assert.equal(transport.features, Feature.version1);
  driver.set(Register.status, 0);
  driver.set(Register.driverFeaturesSelect, 2);
  driver.set(Register.driverFeatures, 0xffff_ffff);
  driver.set(Register.driverFeaturesSelect, 1);
  driver.set(Register.driverFeatures, 1);
  driver.set(Register.status, Status.acknowledge | Status.driver | Status.featuresOk);
  assert.equal(transport.features, Feature.version1);
});

test("status: DRIVER_OK needs FEATURES_OK and DRIVER, and bits cannot be taken back except by a reset", () => {
  const { driver, events } = machine();
  driver.set(Register.status, Status.driverOk);
  assert.equal(driver.status, 0);
  driver.negotiate();
  driver.set(Register.status, Status.acknowledge);
  assert.equal(driver.status, Status.acknowledge | Status.driver | Status.featuresOk);
  driver.set(Register.status, driver.status | Status.failed | Status.needsReset);
  assert.equal(driver.status & (Status.failed | Status.needsReset), Status.failed);
  driver.set(Register.status, 0);
  assert.equal(driver.status, 0);
  assert.deepEqual(events, ["reset", "reset"]);
});

test("queues: sizes per queue, none beyond the last, and a ready queue does not move", () => {
  const { driver } = machine();
  const sizes = [0, 1, 2, 0xffff_ffff].map((index) => {
    driver.set(Register.queueSelect, index);
    driver.set(Register.queueReady, 0);
    return driver.get(Register.queueSizeMax);
  });
  assert.deepEqual(sizes, [16, 4, 0, 0]);
  driver.negotiate();
  const queue = driver.setUp(0, 8);
  assert.equal(driver.get(Register.queueReady), 1);
  driver.set(Register.queueSize, 4);
  driver.set(Register.queueDescriptorLow, 0);
  driver.set(Register.queueReady, 1);
  assert.equal(driver.transport.save().queues[0]?.layout.descriptors, queue.descriptors);
  driver.set(Register.queueReady, 0);
  assert.equal(driver.get(Register.queueReady), 0);
  driver.set(Register.queueReady, 1);
  const { size, descriptors } = driver.transport.save().queues[0]!.layout;
  assert.deepEqual([size, descriptors], [8, queue.descriptors]);
});

test("queues: cannot start before FEATURES_OK", () => {
  const { driver } = machine();
  driver.setUp(0, 8);
  assert.equal(driver.get(Register.queueReady), 0);
  assert.equal(driver.needsReset, false);
});

test("queues: an impossible layout makes the device ask for a reset, with an interrupt once it runs", () => {
  const { driver } = machine();
  driver.negotiate();
  driver.set(Register.queueSize, 3);
  driver.set(Register.queueReady, 1);
  assert.equal(driver.get(Register.queueReady), 0);
  assert.equal(driver.needsReset, true);
  assert.equal(driver.level, false);
  driver.set(Register.status, driver.status | Status.driverOk);
  assert.equal(driver.acknowledge(), Interrupt.configChange);
});

test("notify: is served only while the device runs, for queues that are ready", () => {
  const { driver, events } = machine();
  driver.negotiate();
  const queue = driver.setUp(0, 8);
  events.length = 0;
  driver.notify(queue);
  assert.deepEqual(events, []);
  driver.set(Register.status, driver.status | Status.driverOk);
  events.length = 0;
  for (const index of [0, 1, 2, 0xffff_ffff]) driver.set(Register.queueNotify, index);
  assert.deepEqual(events, ["notify 0"]);
});

test("fail: stops the queues, sets DEVICE_NEEDS_RESET and interrupts once", () => {
  const { driver, transport, events } = machine();
  const [queue] = driver.start(2, undefined, 4);
  events.length = 0;
  transport.fail("first");
  transport.fail("second");
  assert.equal(driver.transport.failure, "first");
  assert.equal(driver.acknowledge(), Interrupt.configChange);
  assert.equal(transport.running, false);
  assert.equal(transport.queue(0).ready, false);
  driver.notify(queue);
  assert.deepEqual(events, []);
});

test("config: any width, zero beyond the end, read-only, and a change counts and interrupts", () => {
  const { driver, transport } = machine();
  const read = (offset: number, bytes: number) => driver.device.read(Register.config + offset, bytes);
  assert.deepEqual([read(0, 1), read(2, 2), read(0, 4), read(4, 4), read(8, 4)], [1, 0x0403, 0x0403_0201, 0x0605, 0]);
  driver.device.write(Register.config, 4, 0);
  assert.equal(read(0, 1), 1);
  transport.configChanged();
  assert.deepEqual([driver.get(Register.configGeneration), driver.level], [1, false]);
  driver.start(2, undefined, 4);
  transport.configChanged();
  assert.deepEqual([driver.get(Register.configGeneration), driver.acknowledge()], [2, Interrupt.configChange]);
});

test("interrupts: acknowledging one cause keeps the line up for the other", () => {
  const { driver, transport } = machine();
  driver.start(2, undefined, 4);
  transport.configChanged();
  driver.set(Register.interruptAcknowledge, Interrupt.usedBuffer);
  assert.equal(driver.level, true);
  driver.set(Register.interruptAcknowledge, Interrupt.configChange);
  assert.equal(driver.level, false);
});

test("reset: forgets queues, features and interrupts", () => {
  const { driver, transport } = machine();
  driver.start(2, undefined, 4);
  transport.configChanged();
  driver.set(Register.status, 0);
  assert.equal(driver.level, false);
  assert.equal(driver.get(Register.interruptStatus), 0);
  driver.set(Register.queueSelect, 0);
  assert.equal(driver.get(Register.queueReady), 0);
  assert.equal(transport.features, 0n);
  driver.negotiate();
  driver.set(Register.queueReady, 1);
  assert.equal(driver.needsReset, true);
});

test("save: a sealed state restores registers, queues and the line; one of another device is refused", () => {
  const first = machine();
  first.driver.start(1, undefined, 4);
  first.transport.configChanged();
  const sealed = sealState("virtio-mmio", first.driver.transport.save());
  const second = machine();
  const state = unsealState("virtio-mmio", sealed);
  second.driver.transport.restore(state);
  assert.deepEqual(second.driver.transport.save(), first.driver.transport.save());
  assert.equal(second.driver.level, true);
  assert.equal(second.transport.running, true);
  const wrong = { ...first.driver.transport.save(), deviceId: 41 };
  assert.throws(() => second.driver.transport.restore(wrong), /device id 42, found 41/);
  assert.throws(() => second.driver.transport.restore({ version: 9 }), /version 1, found 9/);
  assert.throws(() => second.driver.transport.restore({ ...first.driver.transport.save(), queues: [] }), /queues/);
});

test("restore: a layout that this machine's memory does not have stops the device instead of trusting it", () => {
  const { driver } = machine();
  driver.start(1, undefined, 4);
  const state = driver.transport.save();
  const layout = { ...state.queues[0]!.layout, device: RAM_BASE - 4096 };
  driver.transport.restore({ ...state, queues: [{ ...state.queues[0]!, layout }, null] });
  assert.equal(driver.needsReset, true);
});

test("unsealState: refuses damage anywhere and another kind", () => {
  const sealed = sealState("a", { bytes: Uint8Array.of(1, 255), big: 5n, list: [1, null, "x"] });
  assert.deepEqual(unsealState("a", sealed), { bytes: Uint8Array.of(1, 255), big: 5n, list: [1, null, "x"] });
  for (const at of [0, 8, 12, sealed.length - 1]) {
    const damaged = sealed.slice();
    damaged[at] ^= 1;
    assert.throws(() => unsealState("a", damaged), { code: "state-corrupt" });
  }
  assert.throws(() => unsealState("a", sealed.slice(0, -1)), { code: "state-corrupt" });
  assert.throws(() => unsealState("b", sealed), { code: "state-mismatch" });
});
