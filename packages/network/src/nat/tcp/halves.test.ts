import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../testing/random.ts";
import { ByteQueue } from "./byte-queue.ts";
import { Receiver } from "./receiver.ts";
import { RetransmissionTimer } from "./retransmission-timer.ts";
import { Sender } from "./sender.ts";

const bytes = (length: number, first = 0): Uint8Array => Uint8Array.from({ length }, (_, i) => first + i);

test("ByteQueue: gives any range again until it is dropped, chunks large and small", (t) => {
  const random = seededRandom(t);
  const queue = new ByteQueue();
  let whole: number[] = [];
  for (let step = 0; step < 3000; step++) {
    if (random(2) === 0) {
      const chunk = bytes(random(10) === 0 ? random(9000) : random(20), step);
      queue.append(chunk);
      whole.push(...chunk);
    } else if (whole.length > 0) {
      const offset = random(whole.length);
      const length = random(5000);
      const views = queue.views(offset, length).flatMap((view) => [...view]);
      assert.deepEqual(views, whole.slice(offset, offset + length));
      const count = random(Math.min(whole.length, 3000) + 1);
      queue.drop(count);
      whole = whole.slice(count);
    }
    assert.equal(queue.length, whole.length);
  }
  queue.clear();
  assert.deepEqual([queue.length, queue.views(0, 9)], [0, []]);
});

const sender = (more: Partial<ConstructorParameters<typeof Sender>[0]> = {}): Sender =>
  new Sender({ first: 0xffff_fff0, window: 1000, scale: 0, mss: 100, mostBytes: 250, ...more });

/** Sends all that can be sent; gives sequence numbers from the first on and lengths. */
function drain(from: Sender, nowMs = 0): [number, number, boolean][] {
  const sent: [number, number, boolean][] = [];
  for (let next = from.take(); next !== undefined; next = from.take()) {
    from.sent(next, nowMs);
    sent.push([(next.sequence - 0xffff_fff0) >>> 0, next.length, next.fin]);
  }
  return sent;
}

test("Sender: sends whole segments up to the window, and the end behind the last byte", () => {
  const it = sender();
  it.queue.append(bytes(1250));
  it.end();
  assert.deepEqual(
    drain(it).map(([, length]) => length),
    [200, 200, 200, 200, 200],
  );
  assert.equal(it.acknowledge(0xffff_fff0 + 1000 - 2 ** 32, 1000, true, 1), true);
  assert.deepEqual(drain(it), [
    [1000, 200, false],
    [1200, 50, true],
  ]);
  assert.equal(it.acknowledge(0xffff_fff0 + 1252 - 2 ** 32, 1000, true, 2), false, "more than was sent");
  assert.equal(it.acknowledge(0xffff_fff0 + 1251 - 2 ** 32, 1000, true, 2), true);
  assert.equal(it.done, true);
  assert.equal(it.deadlineMs, Number.POSITIVE_INFINITY);
});

test("Sender: sends again after three duplicates, and hole by hole until all is there", () => {
  const it = sender();
  it.queue.append(bytes(600));
  drain(it);
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(drain(it), []);
    it.acknowledge(0xffff_fff0, 1000, true, 1);
  }
  assert.deepEqual(drain(it), [[0, 100, false]]);
  it.acknowledge((0xffff_fff0 + 100) >>> 0, 1000, true, 2);
  assert.deepEqual(drain(it), [[100, 100, false]], "the next hole");
  it.acknowledge((0xffff_fff0 + 600) >>> 0, 1000, true, 3);
  assert.deepEqual(drain(it), []);
});

test("Sender: starts over after a timeout, waits longer each time, and gives up in the end", () => {
  const it = sender();
  it.queue.append(bytes(600));
  drain(it);
  const first = it.deadlineMs;
  assert.equal(it.tick(first - 1), true);
  assert.deepEqual(drain(it), []);
  assert.equal(it.tick(first), true);
  assert.deepEqual(drain(it, first), [[0, 100, false]], "one segment at first");
  const waits: number[] = [];
  let now = first;
  while (it.tick(it.deadlineMs)) {
    waits.push(it.deadlineMs - now);
    now = it.deadlineMs;
    drain(it, now);
  }
  assert.ok(waits.length >= 10 && waits.at(-1) === 60_000, waits.join());
});

test("Sender: probes a closed window, and never gives up on a peer that answers", () => {
  const it = sender({ window: 0 });
  it.queue.append(bytes(50));
  assert.deepEqual(drain(it), []);
  it.wait(0);
  for (let i = 0; i < 40; i++) {
    assert.equal(it.tick(it.deadlineMs), true);
    assert.deepEqual(drain(it), [[0, 1, false]]);
    it.acknowledge(0xffff_fff0, 0, true, 1);
  }
  it.acknowledge(0xffff_fff1, 100, true, 1);
  assert.deepEqual(drain(it), [[1, 49, false]]);
});

function receiver(capacity = 1000) {
  const got: number[] = [];
  const it = new Receiver(
    0xffff_fffe,
    () => capacity,
    0,
    (part) => got.push(...part),
  );
  it.advertise(0);
  return { it, got };
}

test("Receiver: takes no more than its window, and tells when there is room again", () => {
  const { it, got } = receiver(100);
  it.accept(0xffff_fffe, bytes(150), true);
  assert.deepEqual([got.length, it.finished, it.window], [100, false, 0]);
  assert.equal(it.advertise(100), 0);
  assert.equal(it.worthTelling(90), false);
  assert.equal(it.worthTelling(50), true);
  assert.equal(it.advertise(50), 50);
  it.accept(98, bytes(50, 100), true);
  assert.deepEqual([got.length, it.finished], [150, true]);
});

test("Receiver: puts any order, overlap and repetition right", (t) => {
  const random = seededRandom(t);
  for (let round = 0; round < 200; round++) {
    const { it, got } = receiver(2000);
    const whole = bytes(1 + random(1500), round);
    for (let step = 0; step < 4000 && !it.finished; step++) {
      const at = random(8) === 0 ? got.length : random(whole.length + 1);
      const end = Math.min(whole.length, at + random(300));
      it.accept((0xffff_fffe + at) >>> 0, whole.subarray(at, end), end === whole.length && random(3) === 0);
    }
    assert.deepEqual(got, [...whole]);
    assert.equal(it.next, (0xffff_fffe + whole.length + 1) >>> 0);
  }
});

test("RetransmissionTimer: follows the round trip within bounds", () => {
  const timer = new RetransmissionTimer();
  assert.equal(timer.timeoutMs, 1000);
  timer.sample(400);
  assert.equal(timer.timeoutMs, 1200);
  for (let i = 0; i < 100; i++) timer.sample(1);
  assert.equal(timer.timeoutMs, 200);
  for (let i = 0; i < 20; i++) timer.backOff();
  assert.equal(timer.timeoutMs, 60_000);
});
