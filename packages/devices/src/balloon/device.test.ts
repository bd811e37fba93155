import assert from "node:assert/strict";
import { test } from "node:test";
import { RAM_BASE } from "@bulkhead/machine";
import { Register } from "../mmio-transport.ts";
import { fuzzDevice } from "../testing/fuzz-device-node.ts";
import { GuestDriver } from "../testing/guest-driver.ts";
import { seededRandom } from "../testing/random.ts";
import { Feature, Interrupt } from "../virtio.ts";
import type { DeviceTransport, VirtioDevice } from "../virtio-device.ts";
import { BalloonFeature, BalloonField } from "./config.ts";
import { Balloon, type BalloonOptions } from "./device.ts";
import type { MemoryStatistics } from "./statistics.ts";

const PAGE = 4096;
const RING = Feature.version1;

/** A driver and a balloon; the balloon needs the memory that the driver makes. */
function balloonDriver(options: BalloonOptions = {}): { driver: GuestDriver; balloon: Balloon } {
  const late: { balloon?: Balloon; transport?: DeviceTransport } = {};
  const shape = new Balloon(new GuestDriver(nothing()).memory, options);
  const seam: VirtioDevice = {
    id: shape.id,
    queues: shape.queues,
    features: shape.features,
    get config() {
      return (late.balloon ?? shape).config;
    },
    attach: (transport) => (late.transport = transport),
    notify: (queue) => late.balloon?.notify(queue),
    configure: (offset, value) => late.balloon?.configure(offset, value),
    reset: () => late.balloon?.reset(),
  };
  const driver = new GuestDriver(seam);
  const balloon = new Balloon(driver.memory, options);
  late.balloon = balloon;
  balloon.attach(late.transport as DeviceTransport);
  return { driver, balloon };
}

const nothing = (): VirtioDevice => ({
  id: 0,
  queues: [],
  features: 0n,
  config: new Uint8Array(0),
  attach: () => {},
  notify: () => {},
});

/** Remembers what is discarded, as addresses and lengths in RAM. */
function discards() {
  const found: [number, number][] = [];
  let base = 0;
  return {
    found,
    from: (driver: GuestDriver) => (base = driver.memory.ramOffset),
    discard: (bytes: Uint8Array) => found.push([RAM_BASE + bytes.byteOffset - base, bytes.length]),
  };
}

const pageList = (...pages: number[]): Uint8Array => new Uint8Array(Uint32Array.from(pages).buffer);

function entry(tag: number, value: number): number[] {
  const bytes = new Uint8Array(10);
  new DataView(bytes.buffer).setUint16(0, tag, true);
  new DataView(bytes.buffer).setBigUint64(2, BigInt(value), true);
  return [...bytes];
}

test("Balloon.setTarget: is told to the driver, in pages that there are", () => {
  const { driver, balloon } = balloonDriver();
  driver.start(5);
  balloon.setTarget(10 * PAGE + 1);
  assert.equal(driver.get(Register.config), 10);
  assert.equal(driver.acknowledge(), Interrupt.configChange);
  balloon.setTarget(10 * PAGE);
  assert.equal(driver.acknowledge(), 0);
  balloon.setTarget(2 ** 40);
  assert.equal(driver.get(Register.config), driver.memory.ramSize / PAGE);
  balloon.setTarget(-1);
  assert.equal(driver.get(Register.config), 0);
});

test("Balloon: discards the pages that are put into it, neighbours at once, and announces the writes", () => {
  const seen = discards();
  const { driver, balloon } = balloonDriver({ discard: seen.discard });
  seen.from(driver);
  const [inflate, deflate] = driver.start(5);
  const written: number[] = [];
  driver.memory.onWrite = (address, length) => written.push(address, length);
  const first = RAM_BASE / PAGE + 64;
  driver.add(inflate, [pageList(first + 2, first, first + 9, first + 1, first)]);
  driver.notify(inflate);
  assert.deepEqual(seen.found, [
    [first * PAGE, 3 * PAGE],
    [(first + 9) * PAGE, PAGE],
  ]);
  assert.ok(written.includes(first * PAGE));
  assert.equal(driver.used(inflate).length, 1);
  driver.set(Register.config + BalloonField.actual, 4);
  assert.equal(balloon.actualBytes, 4 * PAGE);
  assert.equal(driver.get(Register.config + BalloonField.actual), 4);
  driver.add(deflate, [pageList(first)]);
  driver.notify(deflate);
  assert.equal(driver.used(deflate).length, 1);
  assert.equal(seen.found.length, 2);
});

test("Balloon: pages that are not RAM are left alone", () => {
  const seen = discards();
  const { driver } = balloonDriver({ discard: seen.discard });
  seen.from(driver);
  const [inflate] = driver.start(5);
  const pages = driver.memory.ramSize / PAGE;
  const first = RAM_BASE / PAGE;
  driver.add(inflate, [pageList(0, first - 1, 0xffff_ffff, first + pages, first + pages - 1)]);
  driver.add(inflate, [Uint8Array.of(1, 2, 3)]);
  driver.notify(inflate);
  assert.deepEqual(seen.found, [[RAM_BASE + driver.memory.ramSize - PAGE, PAGE]]);
  assert.equal(driver.used(inflate).length, 2);
  assert.equal(driver.needsReset, false);
});

for (const index of [3, 4]) {
  test(`Balloon: discards free memory that is reported in queue ${index}, before it gives it back`, () => {
    const seen = discards();
    const { driver } = balloonDriver({ discard: seen.discard });
    seen.from(driver);
    const reports = driver.start(5)[index];
    const at = RAM_BASE + 64 * PAGE;
    driver.descriptor(reports.descriptors, 0, at, 2 * PAGE, 3, 1);
    driver.descriptor(reports.descriptors, 1, at + 8 * PAGE, PAGE, 2);
    driver.offer(reports, 0);
    driver.notify(reports);
    assert.deepEqual(seen.found, [
      [at, 2 * PAGE],
      [at + 8 * PAGE, PAGE],
    ]);
    assert.equal(driver.used(reports).length, 1);
  });
}

test("Balloon: a driver without statistics reports in queue 2", () => {
  const seen = discards();
  const { driver } = balloonDriver({ discard: seen.discard });
  seen.from(driver);
  const reports = driver.start(3, RING | BalloonFeature.reporting)[2];
  driver.descriptor(reports.descriptors, 0, RAM_BASE + 64 * PAGE, PAGE, 2);
  driver.offer(reports, 0);
  driver.notify(reports);
  assert.deepEqual(seen.found, [[RAM_BASE + 64 * PAGE, PAGE]]);
});

test("Balloon: free pages that must keep a pattern are not discarded", () => {
  const seen = discards();
  const { driver } = balloonDriver({ discard: seen.discard });
  const reports = driver.start(5)[3];
  driver.set(Register.config + BalloonField.poison, 0xaaaa_aaaa);
  driver.descriptor(reports.descriptors, 0, RAM_BASE + 64 * PAGE, PAGE, 2);
  driver.offer(reports, 0);
  driver.notify(reports);
  assert.deepEqual(seen.found, []);
  assert.equal(driver.used(reports).length, 1);
});

test("Balloon: offers reporting only where memory can be discarded", () => {
  assert.equal(balloonDriver().driver.offered() & BalloonFeature.reporting, 0n);
  assert.notEqual(balloonDriver({ discard: () => {} }).driver.offered() & BalloonFeature.reporting, 0n);
});

test("Balloon.askStatistics: gives the driver's buffer back, and tells what comes in it", () => {
  const told: MemoryStatistics[] = [];
  const { driver, balloon } = balloonDriver({ onStatistics: (statistics) => told.push(statistics) });
  const queue = driver.start(5)[2];
  driver.add(queue, [Uint8Array.from(entry(4, 1))]);
  driver.notify(queue);
  assert.deepEqual(driver.used(queue), []);
  driver.acknowledge();
  balloon.askStatistics();
  assert.equal(driver.used(queue).length, 1);
  assert.equal(driver.acknowledge(), Interrupt.usedBuffer);
  assert.deepEqual(told, []);
  driver.add(queue, [Uint8Array.from([...entry(4, 4096), ...entry(5, 8192), ...entry(99, 1), 7])]);
  driver.notify(queue);
  assert.deepEqual(told, [{ free: 4096, total: 8192 }]);
  // Nobody has asked for these.
  driver.add(queue, [Uint8Array.from(entry(4, 0))]);
  driver.notify(queue);
  assert.equal(told.length, 1);
});

test("restore: goes on with target, size and the buffer for statistics", () => {
  const { driver, balloon } = balloonDriver();
  const queue = driver.start(5)[2];
  driver.add(queue, [Uint8Array.from(entry(4, 1))]);
  driver.notify(queue);
  balloon.setTarget(7 * PAGE);
  driver.set(Register.config + BalloonField.actual, 5);
  const state = balloon.save();
  const restored = balloonDriver();
  restored.driver.memory.bytes.set(driver.memory.bytes);
  restored.driver.transport.restore(driver.transport.save());
  restored.balloon.restore(state);
  assert.equal(restored.balloon.actualBytes, 5 * PAGE);
  assert.equal(restored.driver.get(Register.config), 7);
  restored.balloon.askStatistics();
  assert.equal(restored.driver.used({ ...queue, taken: 0 }).length, 1);
  assert.throws(() => balloon.restore({ version: 2 }), { code: "state-mismatch" });
});

test("Balloon: survives a guest gone mad", (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), Number(process.env.SEED ?? Date.now() % 2 ** 31));
  const memory = new GuestDriver(nothing()).memory;
  const balloon = new Balloon(memory, { discard: (bytes) => assert.ok(bytes.byteOffset >= memory.ramOffset) });
  fuzzDevice(balloon, random, {
    rounds: 3000,
    plausible: () => pageList(RAM_BASE / PAGE + random.below(300), random.below(2 ** 30)),
    host: () => {
      if (random.below(8) === 0) balloon.askStatistics();
      if (random.below(8) === 0) balloon.setTarget(random.below(2 ** 22));
    },
  });
});
