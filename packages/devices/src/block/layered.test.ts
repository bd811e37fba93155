import assert from "node:assert/strict";
import { test } from "node:test";
import { LayeredDisk } from "./layered.ts";
import { MemoryBackend } from "./memory-backend.ts";
import { StoredBlocks } from "./stored-blocks.ts";

const BLOCK = 4096;
const SIZE = 20 * BLOCK + 512;

test("LayeredDisk.freeze: a layer keeps what the disk was, and knows which blocks are its own", () => {
  const base = new Uint8Array(SIZE).fill(1);
  const disk = new LayeredDisk(new MemoryBackend(base, true), () => new MemoryBackend(new Uint8Array(SIZE)));
  disk.write(BLOCK * 3 + 100, new Uint8Array(10).fill(2));
  disk.discard(BLOCK * 5, BLOCK);
  disk.write(SIZE - 512, new Uint8Array(512).fill(3));
  const { layer: first } = disk.freeze();
  assert.deepEqual(first.changed(), { written: [3, 20], zero: [5] });
  disk.write(BLOCK * 3, new Uint8Array(BLOCK).fill(9));
  disk.writeZeroes(BLOCK * 4, BLOCK);
  const whole = (read: (offset: number, into: Uint8Array) => void): Uint8Array => {
    const bytes = new Uint8Array(SIZE);
    read(0, bytes);
    return bytes;
  };
  const expected = new Uint8Array(SIZE).fill(1);
  expected.fill(2, BLOCK * 3 + 100, BLOCK * 3 + 110);
  expected.fill(0, BLOCK * 5, BLOCK * 6);
  expected.fill(3, SIZE - 512);
  assert.deepEqual(
    whole((at, into) => first.read(at, into)),
    expected,
  );
  expected.fill(9, BLOCK * 3, BLOCK * 4);
  expected.fill(0, BLOCK * 4, BLOCK * 5);
  assert.deepEqual(
    whole((at, into) => disk.read(at, into)),
    expected,
  );
  assert.deepEqual(disk.freeze().layer.changed(), { written: [3], zero: [4] });
  disk.close();
});

test("StoredBlocks: reads blocks of the store and of the disk below, in any split", () => {
  const base = Uint8Array.from({ length: SIZE }, () => Math.floor(Math.random() * 256));
  const stored = new Map([1, 2, 7, 20].map((block) => [block, crypto.getRandomValues(new Uint8Array(BLOCK))]));
  const disk = new StoredBlocks(new MemoryBackend(base, true), {
    has: (block) => stored.has(block),
    load: (block, into) => into.set(stored.get(block) ?? assert.fail()),
  });
  const expected = base.slice();
  for (const [block, bytes] of stored)
    expected.set(bytes.subarray(0, Math.min(BLOCK, SIZE - block * BLOCK)), block * BLOCK);
  for (let n = 0; n < 300; n++) {
    const offset = Math.floor(Math.random() * SIZE);
    const into = new Uint8Array(Math.floor(Math.random() * (SIZE - offset)));
    disk.read(offset, into);
    assert.deepEqual(into, expected.subarray(offset, offset + into.length), `${into.length} bytes at ${offset}`);
  }
  assert.throws(() => disk.write(0), /cannot be written/);
});
