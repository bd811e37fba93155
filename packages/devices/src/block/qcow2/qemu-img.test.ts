import assert from "node:assert/strict";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { qemuCheck, qemuConvert, qemuImg, withoutQemuImg } from "../../testing/qemu-img-node.ts";
import { type Random, seededRandom } from "../../testing/random.ts";
import type { BlockBackend } from "../backend.ts";
import { HostFile } from "../host-file-node.ts";
import { imageChain, openDisk } from "../open-disk-node.ts";
import { readPieces, writePieces } from "../pieces.ts";
import { createQcow2 } from "./create.ts";
import { Qcow2Image } from "./image.ts";

const skip = withoutQemuImg;
const directory = mkdtempSync(join(tmpdir(), "bulkhead-qcow2-"));
after(() => rmSync(directory, { recursive: true }));

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const SIZE = 3 * 1024 * 1024 + 4096;
const CLEAN = { corruptions: 0, leaks: 0 };
let count = 0;
const fresh = (name: string): string => join(directory, `${count++}-${name}`);

/** Bytes that compress, but are different everywhere. */
const pattern = (random: Random, length: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, i) => (i % 4096 < 64 ? random.below(256) : (i >> 12) & 0xff));

function content(disk: BlockBackend): Uint8Array {
  const bytes = new Uint8Array(disk.size);
  for (let at = 0; at < bytes.length; at += 100 * 512) {
    const some = bytes.subarray(at, at + 100 * 512);
    readPieces(disk, at, [some.subarray(0, 512), some.subarray(512)]);
  }
  return bytes;
}

const asQemuReads = (path: string): Uint8Array => {
  const raw = fresh("converted.raw");
  qemuConvert(path, raw);
  return new Uint8Array(readFileSync(raw));
};

/** Writes here and there, in the image and in what it is to hold. */
function scribble(random: Random, disk: BlockBackend, expected: Uint8Array, rounds = 60): void {
  for (let i = 0; i < rounds; i++) {
    const offset = random.below(expected.length / 512) * 512;
    const length = Math.min(expected.length - offset, 512 * (1 + random.below(200)));
    const zero = random.below(6) === 0;
    const bytes = new Uint8Array(length).fill(zero ? 0 : 1 + random.below(255));
    if (zero) disk.writeZeroes?.(offset, length, random.below(2) === 0);
    else writePieces(disk, offset, [bytes.subarray(0, length >> 1), bytes.subarray(length >> 1)]);
    expected.set(bytes, offset);
    if (random.below(10) === 0) disk.flush();
  }
}

for (const [what, options] of [
  ["as usual", []],
  ["version 2", ["compat=0.10"]],
  ["lazy refcounts", ["lazy_refcounts=on"]],
  ["clusters of 512 bytes", ["cluster_size=512"]],
  ["clusters of 2 MiB", ["cluster_size=2M"]],
  ["refcounts of 1 bit", ["refcount_bits=1"]],
  ["refcounts of 64 bits", ["refcount_bits=64"]],
  ["places taken beforehand", ["preallocation=metadata"]],
  ["all space taken beforehand", ["preallocation=falloc"]],
] as const) {
  test(`openDisk: writes an image made by qemu-img, ${what}; qemu-img finds it clean and reads the same`, {
    skip,
  }, (t) => {
    const random = seededRandom((sentence) => t.diagnostic(sentence), seed);
    const path = fresh("made.qcow2");
    qemuImg("create", "-q", "-f", "qcow2", ...options.flatMap((option) => ["-o", option]), path, String(SIZE));
    const expected = new Uint8Array(SIZE);
    const disk = openDisk(path);
    scribble(random, disk, expected);
    assert.deepEqual(content(disk), expected);
    disk.close();
    assert.deepEqual(qemuCheck(path), CLEAN);
    assert.deepEqual(asQemuReads(path), expected);
  });
}

for (const compression of ["zlib", "zstd"]) {
  test(`openDisk: reads clusters that qemu-img compressed with ${compression}, and writes over them`, { skip }, (t) => {
    const random = seededRandom((sentence) => t.diagnostic(sentence), seed);
    const raw = fresh("plain.raw");
    const expected = pattern(random, SIZE);
    writeFileSync(raw, expected);
    const path = fresh("compressed.qcow2");
    qemuImg("convert", "-q", "-c", "-O", "qcow2", "-o", `compression_type=${compression}`, "-f", "raw", raw, path);
    const disk = openDisk(path);
    assert.deepEqual(content(disk), expected);
    scribble(random, disk, expected, 30);
    assert.deepEqual(content(disk), expected);
    disk.close();
    assert.deepEqual(qemuCheck(path), CLEAN);
    assert.deepEqual(asQemuReads(path), expected);
  });
}

test("openDisk: reads through a chain of backing files and writes to the first only", { skip }, (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), seed);
  const [base, middle, top] = ["base.raw", "middle.qcow2", "top.qcow2"].map(fresh);
  const expected = pattern(random, SIZE);
  writeFileSync(base, expected.subarray(0, SIZE - 4096));
  qemuImg("create", "-q", "-f", "qcow2", "-F", "raw", "-b", base, middle);
  const below = openDisk(middle);
  scribble(random, below, expected.subarray(0, SIZE - 4096), 20);
  below.close();
  qemuImg("create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", middle, top, String(SIZE));
  expected.fill(0, SIZE - 4096);
  const kept = [readFileSync(base), readFileSync(middle)];
  const disk = openDisk(top);
  assert.deepEqual(content(disk), expected);
  scribble(random, disk, expected, 40);
  disk.close();
  assert.deepEqual([readFileSync(base), readFileSync(middle)], kept);
  assert.deepEqual(qemuCheck(top), CLEAN);
  assert.deepEqual(asQemuReads(top), expected);
  const formats = imageChain(top).map(({ format }) => format);
  assert.deepEqual(formats, ["qcow2", "qcow2", "raw"]);
});

test("openDisk: keeps what internal snapshots hold", { skip }, (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), seed);
  const path = fresh("snapshots.qcow2");
  qemuImg("create", "-q", "-f", "qcow2", "-o", "cluster_size=4096", path, String(SIZE));
  const expected = new Uint8Array(SIZE);
  const states: Uint8Array[] = [];
  for (let round = 0; round < 3; round++) {
    const disk = openDisk(path);
    scribble(random, disk, expected, 20);
    disk.discard?.(0, 65536);
    disk.writeZeroes(0, 65536, true);
    expected.fill(0, 0, 65536);
    disk.close();
    assert.deepEqual(qemuCheck(path), CLEAN);
    states.push(expected.slice());
    qemuImg("snapshot", "-c", `s${round}`, path);
  }
  const disk = openDisk(path);
  scribble(random, disk, expected, 20);
  disk.close();
  assert.deepEqual(asQemuReads(path), expected);
  for (const [round, state] of states.entries()) {
    qemuImg("snapshot", "-a", `s${round}`, path);
    assert.deepEqual(asQemuReads(path), state);
  }
  for (const round of states.keys()) qemuImg("snapshot", "-d", `s${round}`, path);
  assert.deepEqual(qemuCheck(path), CLEAN);
});

test("createQcow2: qemu-img finds an image of ours clean, writes it, and we read what it wrote", { skip }, (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), seed);
  for (const options of [{}, { version: 2 }, { clusterBits: 9 }, { refcountOrder: 5 }] as const) {
    const path = fresh("ours.qcow2");
    const file = new HostFile(path, openSync(path, "wx+"), false);
    createQcow2(file, { size: SIZE, ...options });
    const expected = new Uint8Array(SIZE);
    const image = new Qcow2Image(file);
    scribble(random, image, expected, 20);
    image.close();
    assert.deepEqual(qemuCheck(path), CLEAN);
    const raw = fresh("raw");
    expected.set(pattern(random, 100_000), 65536);
    writeFileSync(raw, expected);
    qemuImg("convert", "-n", "-f", "raw", "-O", "qcow2", raw, path);
    const disk = openDisk(path, { readOnly: true });
    assert.deepEqual(content(disk), expected);
    disk.close();
    assert.deepEqual(qemuCheck(path), CLEAN);
  }
});

test("resize: qemu-img finds a grown image clean", { skip }, () => {
  const path = fresh("grown.qcow2");
  qemuImg("create", "-q", "-f", "qcow2", "-o", "cluster_size=512", path, "1M");
  const disk = openDisk(path);
  disk.write(0, new Uint8Array(4096).fill(1));
  disk.resize(64 * 1024 * 1024);
  disk.write(63 * 1024 * 1024, new Uint8Array(4096).fill(2));
  disk.close();
  assert.deepEqual(qemuCheck(path), CLEAN);
  assert.equal(asQemuReads(path)[63 * 1024 * 1024], 2);
});
