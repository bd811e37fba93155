import assert from "node:assert/strict";
import { test } from "node:test";
import { type Random, seededRandom } from "../../testing/random.ts";
import type { BlockBackend } from "../backend.ts";
import { MemoryBackend } from "../memory-backend.ts";
import { MemoryFile } from "../memory-file.ts";
import { readPieces, writePieces } from "../pieces.ts";
import { checkQcow2 } from "./check.ts";
import { type CreateOptions, createQcow2 } from "./create.ts";
import { Qcow2Image } from "./image.ts";

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const WHOLE = { leaks: 0, errors: 0 };

function create(options: CreateOptions, backing?: BlockBackend): { file: MemoryFile; image: Qcow2Image } {
  const file = new MemoryFile();
  createQcow2(file, options);
  return { file, image: new Qcow2Image(file, { backing }) };
}

const reopen = (file: MemoryFile, backing?: BlockBackend): Qcow2Image => new Qcow2Image(file, { backing });

function content(disk: BlockBackend, offset = 0, length = disk.size): Uint8Array {
  const bytes = new Uint8Array(length);
  disk.read(offset, bytes);
  return bytes;
}

/** Bytes with views of them in pieces, as a guest's memory is. */
function inPieces(random: Random, bytes: Uint8Array): [Uint8Array, Uint8Array[]] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(bytes.length - at, 512 * (1 + random.below(40)));
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return [bytes, pieces];
}

/** Does what a guest could do, to an image and to a plain disk. */
function exercise(random: Random, image: Qcow2Image, plain: MemoryBackend, rounds: number): void {
  const sectors = plain.size / 512;
  for (let i = 0; i < rounds; i++) {
    const offset = random.below(sectors) * 512;
    const length = 512 * (1 + random.below(Math.min(random.pick([2, 8, 300]), sectors - offset / 512)));
    switch (random.below(10)) {
      case 0:
        image.flush();
        break;
      case 1: {
        const unmap = random.below(2) === 0;
        for (const disk of [image, plain]) disk.writeZeroes(offset, length, unmap);
        break;
      }
      case 2:
        // What is discarded may read as anything; here zeros are written behind it.
        image.discard(offset, length);
        for (const disk of [image, plain]) disk.writeZeroes(offset, length, true);
        break;
      case 3: {
        const [all, pieces] = inPieces(random, new Uint8Array(length));
        readPieces(image, offset, pieces);
        assert.deepEqual(all, plain.bytes.subarray(offset, offset + length));
        break;
      }
      case 4:
        assert.deepEqual(content(image, offset, length), plain.bytes.subarray(offset, offset + length));
        break;
      default: {
        const bytes = new Uint8Array(length).fill(random.below(256));
        bytes[0] = i;
        const [, pieces] = inPieces(random, bytes);
        for (const disk of [image, plain]) writePieces(disk, offset, pieces);
      }
    }
  }
}

for (const [what, options, size] of [
  ["clusters of 512 bytes, which outgrow the refcount table", { clusterBits: 9 }, 12 * 1024 * 1024 + 512],
  ["clusters of 64 KiB", {}, 5 * 1024 * 1024 + 512],
  ["clusters of 2 MiB", { clusterBits: 21 }, 8 * 1024 * 1024],
  ["version 2", { version: 2, clusterBits: 12 }, 1024 * 1024],
  ["refcounts of 1 bit", { refcountOrder: 0, clusterBits: 9 }, 1024 * 1024],
  ["refcounts of 4 bits", { refcountOrder: 2, clusterBits: 10 }, 1024 * 1024],
  ["refcounts of 64 bits", { refcountOrder: 6, clusterBits: 9 }, 1024 * 1024],
] as const) {
  for (const behind of [undefined, 700 * 1024]) {
    test(`qcow2: agrees with a plain disk, ${what}${behind === undefined ? "" : ", over a backing disk"}`, (t) => {
      const random = seededRandom((sentence) => t.diagnostic(sentence), seed);
      const backing = behind === undefined ? undefined : new MemoryBackend(random.bytes(behind), true);
      const { file, image } = create({ ...options, size }, backing);
      const plain = new MemoryBackend(new Uint8Array(size));
      if (backing !== undefined) plain.write(0, backing.bytes);
      exercise(random, image, plain, 300);
      image.close();
      const again = reopen(file, backing);
      assert.deepEqual(checkQcow2(again, false), WHOLE);
      assert.equal(again.header.dirty, false);
      assert.deepEqual(content(again), plain.bytes);
      exercise(random, again, plain, 100);
      assert.deepEqual(content(again), plain.bytes);
      again.close();
      assert.deepEqual(checkQcow2(reopen(file, backing), false), WHOLE);
    });
  }
}

test("flush: until then the file's tables are as they were", () => {
  const { file, image } = create({ size: 1024 * 1024 });
  image.write(0, new Uint8Array(512).fill(1));
  const crashed = reopen(new MemoryFile(file.bytes.slice()));
  assert.equal(content(crashed, 0, 512)[0], 0);
  assert.equal(crashed.header.dirty, true);
  image.flush();
  const flushed = reopen(new MemoryFile(file.bytes.slice()));
  assert.equal(content(flushed, 0, 512)[0], 1);
  assert.deepEqual(checkQcow2(flushed, false), WHOLE);
});

test("discard: what is freed is used again, after a flush only", () => {
  const { file, image } = create({ size: 1024 * 1024 });
  const bytes = new Uint8Array(65536).fill(1);
  image.write(0, bytes);
  image.flush();
  const before = image.map.get(0).host;
  image.discard(0, 65536);
  image.write(65536, bytes);
  assert.notEqual(image.map.get(1).host, before);
  image.flush();
  image.write(131072, bytes);
  assert.equal(image.map.get(2).host, before);
  assert.equal(content(image, 0, 512)[0], 0);
  image.close();
  assert.deepEqual(checkQcow2(reopen(file), false), WHOLE);
});

test("writeZeroes: keeps the place of data unless it may be given back", () => {
  const { file, image } = create({ size: 1024 * 1024 });
  image.write(0, new Uint8Array(131072).fill(1));
  const { host } = image.map.get(0);
  image.writeZeroes(0, 65536, false);
  image.writeZeroes(65536, 65536, true);
  assert.deepEqual(image.map.get(0), { kind: "zero", host, length: 0, copied: true });
  assert.equal(image.map.get(1).host, 0);
  image.write(512, new Uint8Array(512).fill(2));
  assert.equal(image.map.get(0).host, host);
  assert.deepEqual([...content(image, 511, 2), ...content(image, 1023, 2)], [0, 2, 2, 0]);
  image.close();
  assert.deepEqual(checkQcow2(reopen(file), false), WHOLE);
});

test("resize: a larger disk reads as zeros behind its old end, whatever stands behind it", () => {
  const backing = new MemoryBackend(new Uint8Array(2 * 1024 * 1024).fill(9), true);
  const { file, image } = create({ size: 512 * 1024 + 512, clusterBits: 9 }, backing);
  image.write(0, new Uint8Array(512).fill(1));
  image.resize(32 * 1024 * 1024);
  assert.equal(image.size, 32 * 1024 * 1024);
  assert.equal(content(image, 512 * 1024, 512)[0], 9);
  assert.ok(content(image, 512 * 1024 + 512, 2 * 1024 * 1024).every((byte) => byte === 0));
  image.write(31 * 1024 * 1024, new Uint8Array(512).fill(3));
  image.close();
  const again = reopen(file, backing);
  assert.deepEqual(checkQcow2(again, false), WHOLE);
  assert.equal(content(again, 31 * 1024 * 1024, 512)[0], 3);
  assert.throws(() => again.resize(512), { code: "disk-format" });
});

test("checkQcow2: gives lost clusters back and counts those that are used", () => {
  const { file, image } = create({ size: 1024 * 1024 });
  image.write(0, new Uint8Array(65536).fill(1));
  image.flush();
  image.refcounts.allocate(3);
  image.refcounts.set(image.map.get(0).host / 65536, 0);
  image.flush();
  const broken = reopen(file);
  assert.deepEqual(checkQcow2(broken, true), { leaks: 3, errors: 1 });
  broken.close();
  assert.deepEqual(checkQcow2(reopen(file), false), WHOLE);
});
