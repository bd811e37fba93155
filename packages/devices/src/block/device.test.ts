import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzDevice } from "../testing/fuzz-device-node.ts";
import { type Buffer, GuestDriver } from "../testing/guest-driver.ts";
import { LateDisk } from "../testing/late-disk.ts";
import { seededRandom } from "../testing/random.ts";
import type { BlockBackend } from "./backend.ts";
import { BlockFeature } from "./config.ts";
import { Block } from "./device.ts";
import { MemoryBackend } from "./memory-backend.ts";

const [IN, OUT, FLUSH, GET_ID, DISCARD, WRITE_ZEROES] = [0, 1, 4, 8, 11, 13];
const [OK, IOERR, UNSUPP] = [0, 1, 2];
const SECTORS = 64;

function header(type: number, sector: number | bigint = 0): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, type, true);
  new DataView(bytes.buffer).setBigUint64(8, BigInt(sector), true);
  return bytes;
}

function range(sector: number | bigint, sectors: number, flags = 0): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(sector), true);
  view.setUint32(8, sectors, true);
  view.setUint32(12, flags, true);
  return bytes;
}

function machine(change: Partial<BlockBackend> = {}) {
  const bytes = Uint8Array.from({ length: SECTORS * 512 }, (_, i) => (i >> 9) + 1);
  const backend: BlockBackend = Object.assign(new MemoryBackend(bytes, change.readOnly), change);
  const errors: unknown[] = [];
  const driver = new GuestDriver(new Block(backend, { id: "disk-1", onError: (error) => errors.push(error) }));
  const [queue] = driver.start(1);
  /** Makes a request; its status is in the last buffer. */
  const request = (...buffers: Buffer[]) => {
    const addresses = driver.add(queue, [...buffers, 1]);
    for (const [i, buffer] of buffers.entries())
      if (typeof buffer === "number") driver.bytes(addresses[i], buffer).fill(0xee);
    const status = driver.bytes(addresses[addresses.length - 1], 1);
    status[0] = 0xee;
    driver.notify(queue);
    const [used] = driver.used(queue);
    return {
      status: status[0],
      length: used?.length,
      data: (i: number, length: number) => driver.bytes(addresses[i], length),
    };
  };
  return { bytes, driver, queue, request, errors };
}

test("in: reads sectors into any split of buffers", () => {
  const { request } = machine();
  const result = request(header(IN, 3), 100, 924);
  assert.deepEqual([result.status, result.length], [OK, 1025]);
  assert.ok(result.data(1, 100).every((byte) => byte === 4));
  assert.deepEqual([result.data(2, 924)[411], result.data(2, 924)[412]], [4, 5]);
});

test("in: the header may be split, and the status may share a buffer with the data", () => {
  const { driver, queue } = machine();
  const whole = header(IN, 1);
  const addresses = driver.add(queue, [whole.slice(0, 5), whole.slice(5), 513]);
  driver.notify(queue);
  assert.equal(driver.bytes(addresses[2], 513)[511], 2);
  assert.equal(driver.bytes(addresses[2], 513)[512], OK);
});

test("out: writes sectors, also when they follow the header in one buffer", () => {
  const { request, bytes } = machine();
  const both = new Uint8Array(16 + 512).fill(0xaa);
  both.set(header(OUT, 63));
  assert.deepEqual(request(both).status, OK);
  assert.ok(bytes.subarray(63 * 512).every((byte) => byte === 0xaa));
  assert.equal(bytes[63 * 512 - 1], 63);
});

for (const [what, sector, length] of [
  ["one sector beyond the end", SECTORS, 512],
  ["a request that crosses the end", SECTORS - 1, 1024],
  ["a sector whose offset wraps around 2^64", 2n ** 55n, 512],
  ["the last sector number", 2n ** 64n - 1n, 512],
  ["half a sector", 0, 256],
] as const) {
  test(`in, out: ${what} is an I/O error and touches nothing`, () => {
    const { request, bytes } = machine();
    const before = bytes.slice();
    const read = request(header(IN, sector), length);
    assert.deepEqual([read.status, read.length], [IOERR, 0]);
    assert.ok(read.data(1, length).every((byte) => byte === 0xee));
    assert.equal(request(header(OUT, sector), new Uint8Array(length).fill(9)).status, IOERR);
    assert.deepEqual(bytes, before);
  });
}

test("flush: reaches the backend", () => {
  let flushes = 0;
  const { request } = machine({ flush: () => flushes++ });
  assert.deepEqual([request(header(FLUSH)).status, flushes], [OK, 1]);
});

test("getId: 20 bytes, padded with zeros, cut to the buffer", () => {
  const { request } = machine();
  const result = request(header(GET_ID), 20);
  assert.equal(new TextDecoder().decode(result.data(1, 20).slice()), "disk-1".padEnd(20, "\0"));
  assert.equal(new TextDecoder().decode(request(header(GET_ID), 4).data(1, 4).slice()), "disk");
});

test("writeZeroes: clears ranges with the backend's help or by writing", () => {
  for (const change of [{}, { writeZeroes: undefined }]) {
    const { request, bytes } = machine(change);
    assert.equal(request(header(WRITE_ZEROES), range(2, 3, 1)).status, OK);
    assert.deepEqual([bytes[1023], bytes[1024], bytes[2559], bytes[2560]], [2, 0, 0, 6]);
  }
});

test("discard: reaches a backend that can, and is unsupported by others", () => {
  const seen: number[][] = [];
  const can = machine({ discard: (offset, length) => seen.push([offset, length]) });
  assert.equal(can.request(header(DISCARD), range(4, 2)).status, OK);
  assert.deepEqual(seen, [[2048, 1024]]);
  assert.equal(can.request(header(DISCARD), range(4, 2, 1)).status, UNSUPP);
  const cannot = machine({ discard: undefined });
  assert.equal(cannot.driver.offered() & BlockFeature.discard, 0n);
  assert.equal(cannot.request(header(DISCARD), range(4, 2)).status, UNSUPP);
});

test("writeZeroes: wrong lists are refused before anything is touched", () => {
  const { request, bytes, errors } = machine();
  const before = bytes.slice();
  const status = (...lists: Uint8Array[]) => request(header(WRITE_ZEROES), ...lists).status;
  assert.equal(status(range(0, 1, 2)), UNSUPP);
  assert.equal(status(range(SECTORS, 1)), IOERR);
  assert.equal(status(range(2n ** 64n - 1n, 2)), IOERR);
  assert.equal(status(range(0, 65537)), IOERR);
  assert.equal(status(new Uint8Array(15)), IOERR);
  assert.equal(status(), IOERR);
  assert.equal(status(range(0, 1), range(1, 1)), IOERR);
  assert.deepEqual(errors, []);
  assert.deepEqual(bytes, before);
});

test("writeZeroes: a range longer than the limit is refused on a disk that has it", () => {
  const backend: BlockBackend = { size: 2 ** 40, readOnly: false, read() {}, write() {}, flush() {}, writeZeroes() {} };
  const driver = new GuestDriver(new Block(backend));
  const [queue] = driver.start(1);
  const [, , status] = driver.add(queue, [header(WRITE_ZEROES), range(0, 65537), 1]);
  driver.notify(queue);
  assert.equal(driver.bytes(status, 1)[0], IOERR);
});

test("readOnly: is offered, reads work, and every write is an I/O error", () => {
  const { request, driver, bytes } = machine({ readOnly: true });
  const before = bytes.slice();
  assert.equal(driver.offered() & BlockFeature.readOnly, BlockFeature.readOnly);
  assert.equal(request(header(IN), 512).status, OK);
  assert.equal(request(header(OUT), new Uint8Array(512)).status, IOERR);
  assert.equal(request(header(WRITE_ZEROES), range(0, 1)).status, IOERR);
  assert.notEqual(request(header(DISCARD), range(0, 1)).status, OK);
  assert.deepEqual(bytes, before);
});

test("backend: what it throws becomes an I/O error, is reported, and leaves no stale bytes behind", () => {
  const error = new Error("the disk is on fire");
  const fail = () => {
    throw error;
  };
  const { request, errors, driver } = machine({ read: fail, write: fail, flush: fail });
  const read = request(header(IN), 512);
  assert.deepEqual([read.status, read.length], [IOERR, 513]);
  assert.ok(read.data(1, 512).every((byte) => byte === 0));
  assert.equal(request(header(OUT), new Uint8Array(512)).status, IOERR);
  assert.equal(request(header(FLUSH)).status, IOERR);
  assert.deepEqual(errors, [error, error, error]);
  assert.equal(driver.needsReset, false);
});

test("notify: unknown requests are unsupported", () => {
  const { request } = machine();
  for (const type of [2, 9, 14, 0xffff_ffff]) assert.equal(request(header(type), 512).status, UNSUPP);
});

test("notify: a request without a whole header or without a status byte needs a reset", () => {
  const short = machine();
  short.driver.add(short.queue, [header(IN).slice(0, 15), 513]);
  short.driver.notify(short.queue);
  assert.match(short.driver.transport.failure ?? "", /header/);
  const mute = machine();
  mute.driver.add(mute.queue, [header(OUT), new Uint8Array(512)]);
  mute.driver.notify(mute.queue);
  assert.equal(mute.driver.needsReset, true);
  assert.equal(mute.bytes[0], 1);
});

test("config: capacity, limits and topology are where drivers look for them", () => {
  const { driver } = machine();
  const at = (offset: number, bytes = 4) => driver.device.read(0x100 + offset, bytes);
  assert.deepEqual([at(0), at(4), at(12), at(20), at(24, 1), at(26, 2)], [SECTORS, 0, 510, 512, 3, 1]);
  assert.deepEqual([at(36), at(40), at(48), at(52), at(56, 1)], [2 ** 23, 1, 65536, 1, 1]);
});

test("restore: refuses a disk of another size", () => {
  const small = new Block(new MemoryBackend(new Uint8Array(512)));
  const large = new Block(new MemoryBackend(new Uint8Array(1024)));
  large.restore(large.save());
  assert.throws(() => small.restore(large.save()), /size 512, found 1024/);
});

test("block: survives a guest gone mad", (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), Number(process.env.SEED ?? Date.now() % 2 ** 31));
  const backend = new MemoryBackend(new Uint8Array(SECTORS * 512));
  const plausible = () => {
    const sector = random.pick([0, 1, SECTORS - 1, SECTORS, 2n ** 63n]);
    return header(random.pick([IN, OUT, FLUSH, GET_ID, DISCARD, WRITE_ZEROES, random.below(20)]), sector);
  };
  fuzzDevice(new Block(backend), random, { rounds: 3000, plausible });
  assert.equal(backend.bytes.length, SECTORS * 512);
});

test("block: survives a guest gone mad over a disk that answers later, or not at all", (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), Number(process.env.SEED ?? Date.now() % 2 ** 31));
  const disk = new LateDisk(new MemoryBackend(new Uint8Array(SECTORS * 512)), random);
  const block = new Block(disk, { limits: { iops: 1e6 } });
  const plausible = () => {
    const sector = random.pick([0, 1, SECTORS - 1, SECTORS, 2n ** 63n]);
    return header(random.pick([IN, OUT, FLUSH, GET_ID, DISCARD, WRITE_ZEROES, random.below(20)]), sector);
  };
  fuzzDevice(block, random, { rounds: 3000, plausible, host: () => block.work() });
  assert.ok(disk.underWay <= 512, `${disk.underWay} requests under way`);
});

test("notify: more requests under way than there are descriptors need a reset", (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), 1);
  const disk = new LateDisk(new MemoryBackend(new Uint8Array(SECTORS * 512)), random);
  const driver = new GuestDriver(new Block(disk));
  const [queue] = driver.start(1);
  driver.add(queue, [header(IN), 512, 1]);
  for (let i = 0; i < 600 && !driver.needsReset; i++) {
    driver.offer(queue, 0);
    driver.notify(queue);
  }
  assert.match(driver.transport.failure ?? "", /more requests/);
  assert.equal(disk.underWay, 512);
  driver.transport.reset();
  assert.equal(disk.underWay, 0);
});

test("work: goes on where a notification has done its portion, until nothing is left", () => {
  const block = new Block(new MemoryBackend(new Uint8Array(8192).fill(7)), { portionBytes: 1000 });
  const driver = new GuestDriver(block);
  const [queue] = driver.start(1);
  for (let i = 0; i < 3; i++) driver.add(queue, [header(IN), 512, 1]);
  driver.add(queue, [header(FLUSH), 1]);
  driver.add(queue, [header(IN), 512, 1]);
  driver.notify(queue);
  const served: number[] = [];
  for (let more = true; more; block.work()) {
    served.push(driver.used(queue).length);
    more = block.waitMs() === 0;
  }
  assert.deepEqual(served, [2, 2, 1]);
  assert.equal(driver.level, true);
});

test("work: serves nothing any more when the driver has reset the device", () => {
  const block = new Block(new MemoryBackend(new Uint8Array(8192)), { portionBytes: 1 });
  const driver = new GuestDriver(block);
  const [queue] = driver.start(1);
  for (let i = 0; i < 3; i++) driver.add(queue, [header(IN), 512, 1]);
  driver.notify(queue);
  assert.equal(block.active, true);
  driver.transport.reset();
  assert.equal(block.active, false);
  block.work();
  assert.equal(driver.used(queue).length, 1);
});

test("restore: requests that were waiting are served", () => {
  const disk = new MemoryBackend(new Uint8Array(8192));
  const block = new Block(disk, { portionBytes: 1 });
  const driver = new GuestDriver(block);
  const [queue] = driver.start(1);
  for (let i = 0; i < 2; i++) driver.add(queue, [header(IN), 512, 1]);
  driver.notify(queue);
  block.restore(block.save());
  block.work();
  assert.equal(driver.used(queue).length, 2);
});
