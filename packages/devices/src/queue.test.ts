import assert from "node:assert/strict";
import { test } from "node:test";
import { GuestMemory, RAM_BASE } from "@bulkhead/machine";
import { type QueueLayout, type QueueShape, Virtqueue } from "./queue.ts";
import { type DriverQueue, GuestDriver, ringFeaturesWithout } from "./testing/guest-driver.ts";
import { seededRandom } from "./testing/random.ts";
import { DescriptorFlag, Feature, Interrupt } from "./virtio.ts";
import type { DeviceTransport, VirtioDevice } from "./virtio-device.ts";

const { next: NEXT, write: WRITE, indirect: INDIRECT } = DescriptorFlag;

/** A device that says what it was given and completes with one byte. */
function probe(shape: QueueShape = { size: 16, maxChainBytes: 65536 }) {
  const seen: string[] = [];
  let transport!: DeviceTransport;
  const device: VirtioDevice = {
    id: 42,
    queues: [shape],
    features: 0n,
    config: new Uint8Array(0),
    attach: (given) => {
      transport = given;
    },
    notify: (index) => {
      const queue = transport.queue(index);
      for (let chain = queue.next(); chain !== undefined; chain = queue.next()) {
        seen.push(`${chain.readable}r${chain.writable}w`);
        chain.write(Uint8Array.of(1));
        chain.complete();
      }
    },
  };
  const driver = new GuestDriver(device);
  return { driver, seen };
}

function started(features?: bigint, shape?: QueueShape) {
  const { driver, seen } = probe(shape);
  const [queue] = driver.start(1, features, 8);
  const buffer = driver.allocate(4096);
  return { driver, seen, queue, buffer };
}

/** The device must have refused what the guest did: it needs a reset, has said so, and goes on doing nothing. */
function assertRefused(driver: GuestDriver, queue: DriverQueue, seen: string[], reason: RegExp): void {
  assert.equal(driver.needsReset, true, "the guest's mistake was accepted");
  assert.match(driver.transport.failure ?? "", reason);
  assert.equal(driver.acknowledge(), Interrupt.configChange);
  const before = seen.length;
  driver.add(queue, [8]);
  driver.notify(queue);
  assert.equal(seen.length, before);
  assert.deepEqual(driver.used(queue), []);
}

test("next: gives chains in order, with their used lengths, around the ring and around 65536", () => {
  const { driver, seen, queue } = started(ringFeaturesWithout(Feature.eventIndex));
  const free = driver.allocate(0);
  for (let i = 0; i < 70_000; i++) {
    driver.recycle(free);
    driver.add(queue, [Uint8Array.of(1, 2), 3]);
    driver.notify(queue);
    const used = driver.used(queue);
    if (used.length !== 1 || used[0].length !== 1 || used[0].head !== (i * 2) % 8) assert.fail(`chain ${i} went wrong`);
  }
  assert.deepEqual(new Set(seen), new Set(["2r3w"]));
  assert.equal(seen.length, 70_000);
});

test("next: follows an indirect table behind direct descriptors, and ignores its write flag", () => {
  const { driver, seen, queue, buffer } = started();
  const table = driver.allocate(64);
  driver.descriptor(table, 0, buffer, 5, NEXT, 3);
  driver.descriptor(table, 3, buffer, 7, WRITE);
  driver.descriptor(queue.descriptors, 0, buffer, 4, NEXT, 1);
  driver.descriptor(queue.descriptors, 1, table, 64, INDIRECT | WRITE);
  driver.offer(queue, 0);
  driver.notify(queue);
  assert.deepEqual(seen, ["9r7w"]);
  assert.deepEqual(driver.used(queue), [{ head: 0, length: 1 }]);
});

test("next: takes a chain as long as the queue and empty buffers", () => {
  const { driver, seen, queue } = started();
  driver.add(queue, [Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(1), Uint8Array.of(1), 1, 0, 1, 1]);
  driver.notify(queue);
  assert.deepEqual(seen, ["3r3w"]);
});

const violations: [string, RegExp, (d: GuestDriver, q: DriverQueue, buffer: number) => void][] = [
  [
    "an available index further ahead than the queue is long",
    /available index is 9 ahead/,
    (d, q) => d.poke16(q.available + 2, 9),
  ],
  ["a head beyond the table", /descriptor index 8 is not below 8/, (d, q) => d.offer(q, 8)],
  [
    "a next index beyond the table",
    /descriptor index 9 is not below 8/,
    (d, q, buffer) => {
      d.descriptor(q.descriptors, 0, buffer, 4, NEXT, 9);
      d.offer(q, 0);
    },
  ],
  [
    "a loop",
    /loops or is too long/,
    (d, q, buffer) => {
      d.descriptor(q.descriptors, 0, buffer, 4, NEXT, 1);
      d.descriptor(q.descriptors, 1, buffer, 4, NEXT, 0);
      d.offer(q, 0);
    },
  ],
  [
    "a loop of empty buffers in an indirect table",
    /loops or is too long/,
    (d, q, buffer) => {
      const table = d.allocate(16);
      d.descriptor(table, 0, buffer, 0, NEXT, 0);
      d.descriptor(q.descriptors, 0, table, 16, INDIRECT);
      d.offer(q, 0);
    },
  ],
  [
    "a chain that becomes too long in its indirect table",
    /loops or is too long/,
    (d, q, buffer) => {
      const table = d.allocate(256);
      for (let i = 0; i < 16; i++) d.descriptor(table, i, buffer, 4, i < 15 ? NEXT : 0, i + 1);
      d.descriptor(q.descriptors, 0, buffer, 4, NEXT, 1);
      d.descriptor(q.descriptors, 1, table, 256, INDIRECT);
      d.offer(q, 0);
    },
  ],
  [
    "a readable descriptor behind a writable one",
    /readable descriptor follows/,
    (d, q, buffer) => {
      d.descriptor(q.descriptors, 0, buffer, 4, NEXT | WRITE, 1);
      d.descriptor(q.descriptors, 1, buffer, 4, 0);
      d.offer(q, 0);
    },
  ],
  ["a buffer below RAM", /not in RAM/, (d, q) => single(d, q, RAM_BASE - 4, 8)],
  ["a buffer across the end of RAM", /not in RAM/, (d, q) => single(d, q, RAM_BASE + d.memory.ramSize - 4, 8)],
  ["a buffer at the end of the address space", /not in RAM/, (d, q) => single(d, q, 0xffff_ffff_ffff_fff8n, 16)],
  ["a buffer whose address differs from RAM in its high half", /not in RAM/, (d, q) => single(d, q, 0x1_8000_1000n, 8)],
  ["an empty buffer outside RAM", /not in RAM/, (d, q) => single(d, q, 0x1000, 0)],
  ["more bytes than a chain may have", /70000 bytes exceeds 65536/, (d, q) => single(d, q, RAM_BASE, 70_000)],
  [
    "overlapping buffers that add up to more than a chain may have",
    /exceeds 65536/,
    (d, q) => {
      d.descriptor(q.descriptors, 0, RAM_BASE, 65536, NEXT, 1);
      d.descriptor(q.descriptors, 1, RAM_BASE, 65536, 0);
      d.offer(q, 0);
    },
  ],
  [
    "an indirect table in an indirect table",
    /holds an indirect/,
    (d, q) => {
      const table = d.allocate(16);
      d.descriptor(table, 0, table, 16, INDIRECT);
      d.descriptor(q.descriptors, 0, table, 16, INDIRECT);
      d.offer(q, 0);
    },
  ],
  [
    "an indirect descriptor with a successor",
    /has a successor/,
    (d, q, buffer) => {
      const table = d.allocate(16);
      d.descriptor(table, 0, buffer, 4, 0);
      d.descriptor(q.descriptors, 0, table, 16, INDIRECT | NEXT, 1);
      d.offer(q, 0);
    },
  ],
  ["an indirect table of no bytes", /whole descriptors/, (d, q, buffer) => single(d, q, buffer, 0, INDIRECT)],
  ["an indirect table of half a descriptor", /whole descriptors/, (d, q, buffer) => single(d, q, buffer, 24, INDIRECT)],
  ["an indirect table longer than the queue", /17 descriptors exceeds 16/, (d, q, b) => single(d, q, b, 272, INDIRECT)],
  [
    "an indirect table outside RAM",
    /table is not in RAM/,
    (d, q) => single(d, q, RAM_BASE + d.memory.ramSize - 8, 16, INDIRECT),
  ],
  [
    "a next index beyond an indirect table",
    /descriptor index 1 is not below 1/,
    (d, q, buffer) => {
      const table = d.allocate(32);
      d.descriptor(table, 0, buffer, 4, NEXT, 1);
      d.descriptor(table, 1, buffer, 4, 0);
      d.descriptor(q.descriptors, 0, table, 16, INDIRECT);
      d.offer(q, 0);
    },
  ],
];

function single(driver: GuestDriver, queue: DriverQueue, address: number | bigint, length: number, flags = 0): void {
  driver.descriptor(queue.descriptors, 0, address, length, flags);
  driver.offer(queue, 0);
}

for (const [what, reason, act] of violations) {
  test(`next: refuses ${what}`, () => {
    const { driver, seen, queue, buffer } = started();
    act(driver, queue, buffer);
    driver.notify(queue);
    assertRefused(driver, queue, seen, reason);
    assert.deepEqual(seen, []);
  });
}

test("next: refuses indirect descriptors that were not negotiated", () => {
  const { driver, seen, queue, buffer } = started(ringFeaturesWithout(Feature.indirectDescriptors));
  const table = driver.allocate(16);
  driver.descriptor(table, 0, buffer, 4, 0);
  single(driver, queue, table, 16, INDIRECT);
  driver.notify(queue);
  assertRefused(driver, queue, seen, /not negotiated/);
});

test("next: chains before the broken one are served", () => {
  const { driver, seen, queue } = started();
  driver.add(queue, [4]);
  driver.offer(queue, 99);
  driver.notify(queue);
  assert.deepEqual(seen, ["0r4w"]);
  assert.equal(driver.used(queue).length, 1);
  assert.equal(driver.needsReset, true);
});

test("next: a reset makes a broken device work again", () => {
  const { driver, seen, queue } = started();
  driver.offer(queue, 99);
  driver.notify(queue);
  assert.equal(driver.needsReset, true);
  const [again] = driver.start(1);
  driver.add(again, [4]);
  driver.notify(again);
  assert.equal(driver.transport.failure, undefined);
  assert.deepEqual(seen, ["0r4w"]);
});

const good: QueueLayout = { size: 8, descriptors: RAM_BASE, driver: RAM_BASE + 0x100, device: RAM_BASE + 0x200 };
const end = RAM_BASE + 65536;
const layouts: [string, Partial<QueueLayout>, RegExp][] = [
  ["size 0", { size: 0 }, /size 0/],
  ["a size that is no power of two", { size: 6 }, /size 6/],
  ["a size above the largest", { size: 32 }, /size 32/],
  ["a misaligned descriptor table", { descriptors: RAM_BASE + 8 }, /not aligned/],
  ["a misaligned driver area", { driver: RAM_BASE + 1 }, /not aligned/],
  ["a misaligned device area", { device: RAM_BASE + 2 }, /not aligned/],
  ["a descriptor table outside RAM", { descriptors: end - 112 }, /not in RAM/],
  ["a driver area outside RAM", { driver: end - 20 }, /not in RAM/],
  ["a device area outside RAM", { device: end - 68 }, /not in RAM/],
  ["a device area below RAM", { device: 0x1000 }, /not in RAM/],
  ["a device area beyond all memory", { device: 2 ** 64 - 4096 }, /not in RAM/],
];

for (const [what, wrong, reason] of layouts) {
  test(`enable: refuses ${what}`, () => {
    const queue = new Virtqueue(new GuestMemory(65536, 1), { size: 16, maxChainBytes: 1 }, () => {});
    assert.equal(queue.enable(good, 0n), undefined);
    queue.disable();
    assert.match(queue.enable({ ...good, ...wrong }, 0n) ?? "", reason);
    assert.equal(queue.ready, false);
  });
}

test("enable: a queue may end exactly where RAM ends", () => {
  const queue = new Virtqueue(new GuestMemory(65536, 1), { size: 16, maxChainBytes: 1 }, () => {});
  assert.equal(queue.enable({ ...good, device: end - 72 }, 0n), undefined);
  assert.equal(queue.next(), undefined);
});

test("next: a queue that has refused something gives nothing more until it is enabled again", () => {
  const memory = new GuestMemory(65536, 1);
  const reasons: string[] = [];
  const queue = new Virtqueue(memory, { size: 16, maxChainBytes: 4096 }, (reason) => reasons.push(reason));
  queue.enable(good, 0n);
  memory.view.setUint32(memory.offsetOf(good.descriptors, 4), RAM_BASE, true);
  memory.view.setUint16(memory.offsetOf(good.driver + 2, 2), 9, true);
  assert.equal(queue.next(), undefined);
  memory.view.setUint16(memory.offsetOf(good.driver + 2, 2), 1, true);
  assert.equal(queue.next(), undefined);
  assert.equal(reasons.length, 1);
  queue.enable(good, 0n);
  assert.notEqual(queue.next(), undefined);
});

test("next: a chain that outlives its queue is not completed into the next driver's memory", () => {
  const memory = new GuestMemory(65536, 1);
  const queue = new Virtqueue(memory, { size: 16, maxChainBytes: 4096 }, () => {});
  queue.enable(good, 0n);
  memory.view.setUint32(memory.offsetOf(good.descriptors, 4), RAM_BASE, true);
  memory.view.setUint16(memory.offsetOf(good.driver + 2, 2), 1, true);
  const chain = queue.next();
  assert.notEqual(chain, undefined);
  queue.disable();
  queue.enable({ ...good, device: RAM_BASE + 0x400 }, 0n);
  chain?.complete();
  assert.ok(memory.readable(good.device, 0x400)?.every((byte) => byte === 0));
});

test("takeSignal: without EVENT_IDX the driver's flag decides", () => {
  const { driver, queue } = started(ringFeaturesWithout(Feature.eventIndex));
  driver.add(queue, [1]);
  driver.poke16(queue.available, 1);
  driver.notify(queue);
  assert.equal(driver.level, false);
  driver.poke16(queue.available, 0);
  driver.notify(queue);
  assert.equal(driver.level, false);
  driver.add(queue, [1]);
  driver.notify(queue);
  assert.equal(driver.level, true);
  assert.equal(driver.acknowledge(), Interrupt.usedBuffer);
  assert.equal(driver.level, false);
});

test("takeSignal: with EVENT_IDX the interrupt comes when the used index passes the driver's event, also in a batch", () => {
  const { driver, queue } = started();
  const usedEvent = queue.available + 4 + 8 * 2;
  const serve = (chains: number): boolean => {
    for (let i = 0; i < chains; i++) driver.add(queue, [1]);
    driver.notify(queue);
    return driver.acknowledge() !== 0;
  };
  driver.poke16(queue.available, 1);
  assert.equal(serve(1), true);
  assert.equal(serve(1), false);
  driver.poke16(usedEvent, 4);
  assert.equal(serve(2), false);
  assert.equal(serve(3), true);
  driver.poke16(usedEvent, 7);
  assert.equal(serve(0), false);
  assert.equal(serve(1), true);
});

test("next: with EVENT_IDX asks to be notified of what comes after what it has seen", () => {
  const { driver, queue } = started();
  for (let i = 0; i < 3; i++) driver.add(queue, [1]);
  driver.notify(queue);
  assert.equal(driver.peek16(queue.used + 4 + 8 * 8), 3);
});

test("onWrite: translated code under the used ring is dropped before it is written", () => {
  const { driver, queue } = started();
  const written: number[] = [];
  driver.memory.onWrite = (address, length) => {
    for (let i = 0; i < length; i++) written.push(address + i);
  };
  driver.add(queue, [1]);
  driver.notify(queue);
  for (const at of [2, 3, 4, 8, 11, 68, 69])
    assert.ok(written.includes(queue.used + at), `byte ${at} was written unannounced`);
});

test("save: a restored queue goes on where it was, also while a signal is due", () => {
  const { driver, seen, queue } = started();
  driver.add(queue, [1]);
  driver.notify(queue);
  driver.used(queue);
  const saved = structuredClone(driver.transport.save());
  driver.set(0x70, 0);
  driver.transport.restore(saved);
  assert.equal(driver.level, true);
  driver.add(queue, [2]);
  driver.notify(queue);
  assert.deepEqual(seen, ["0r1w", "0r2w"]);
  assert.deepEqual(driver.used(queue), [{ head: 1, length: 1 }]);
});

test("queue: random rings never throw, never hang and never write outside what was granted", (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), Number(process.env.SEED ?? Date.now() % 2 ** 31));
  for (let round = 0; round < 1500; round++) {
    const { driver, seen, queue } = started();
    const area = driver.memory.writable(RAM_BASE, 0x4000)!;
    const table = area.subarray(queue.descriptors - RAM_BASE, queue.descriptors - RAM_BASE + 128);
    table.set(random.bytes(128));
    for (let i = 0; i < 8; i++) {
      if (random.below(8) === 0) continue;
      const flags = random.pick([0, 1, 1, 1, 2, 3, 3, 4]);
      const address = RAM_BASE + 0x2000 + random.below(0x1000);
      driver.descriptor(queue.descriptors, i, address, random.pick([0, 16, 32, 128, 4096]), flags, random.below(9));
    }
    area.subarray(0x2000, 0x4000).set(random.bytes(256), random.below(0x1f00));
    for (let i = 0; i < 8; i++) driver.poke16(queue.available + 4 + i * 2, random.below(10));
    driver.poke16(queue.available + 2, random.below(12));
    const guard = driver.bytes(RAM_BASE + 0x4000, 0x1_0000);
    const before = guard.slice();
    driver.notify(queue);
    assert.ok(seen.length <= 8);
    assert.deepEqual(guard, before);
  }
});
