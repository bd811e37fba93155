import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../testing/random.ts";
import { MemoryBackend } from "./memory-backend.ts";
import { Overlay } from "./overlay.ts";
import { readPieces, writePieces } from "./pieces.ts";

const SIZE = 4096 * 9 + 512;

function machine() {
  const base = new MemoryBackend(
    Uint8Array.from({ length: SIZE }, (_, i) => i % 251),
    true,
  );
  const upper = new MemoryBackend(new Uint8Array(SIZE).fill(0xee));
  return { base, upper, overlay: new Overlay(base, upper) };
}

const readAll = (overlay: Overlay): Uint8Array => {
  const bytes = new Uint8Array(SIZE);
  overlay.read(0, bytes);
  return bytes;
};

test("overlay: reads the base until something is written", () => {
  const { base, overlay } = machine();
  assert.deepEqual(readAll(overlay), base.bytes);
});

test("overlay: a write inside a block keeps the rest of the block, and never reaches the base", () => {
  const { base, overlay } = machine();
  const before = base.bytes.slice();
  const expected = base.bytes.slice();
  for (const [offset, length] of [
    [512, 512],
    [4096 * 2, 4096],
    [4096 * 4 - 512, 1024],
    [SIZE - 512, 512],
  ] as const) {
    overlay.write(offset, new Uint8Array(length).fill(offset / 512));
    expected.fill(offset / 512, offset, offset + length);
    assert.deepEqual(readAll(overlay), expected);
  }
  assert.deepEqual(base.bytes, before);
});

test("overlay: random reads and writes agree with a plain disk", (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), Number(process.env.SEED ?? Date.now() % 2 ** 31));
  const { base, overlay } = machine();
  const plain = new MemoryBackend(base.bytes.slice());
  for (let i = 0; i < 500; i++) {
    const offset = random.below(SIZE / 512) * 512;
    const length = 512 * (1 + random.below(Math.min(40, (SIZE - offset) / 512)));
    const bytes = random.bytes(length);
    const kind = random.below(8);
    const half = bytes.length >> 1;
    const pieces = [bytes.subarray(0, half), bytes.subarray(half)];
    if (kind < 2) for (const disk of [overlay, plain]) disk.write(offset, bytes);
    else if (kind < 4) for (const disk of [overlay, plain]) writePieces(disk, offset, pieces);
    else if (kind === 4) for (const disk of [overlay, plain]) disk.writeZeroes(offset, length);
    const found = new Uint8Array(length);
    if (kind === 5) readPieces(overlay, offset, [found.subarray(0, half), found.subarray(half)]);
    else overlay.read(offset, found);
    assert.deepEqual(found, plain.bytes.subarray(offset, offset + length));
  }
  assert.deepEqual(readAll(overlay), plain.bytes);
});

test("overlay: what is discarded reads as zeros, and its neighbours as before", () => {
  const { base, overlay } = machine();
  overlay.discard(512, 4096 * 3);
  const expected = base.bytes.slice();
  expected.fill(0, 4096, 4096 * 3);
  assert.deepEqual(readAll(overlay), expected);
  overlay.write(4096 + 512, new Uint8Array(512).fill(1));
  expected.fill(1, 4096 + 512, 4096 + 1024);
  overlay.discard(4096 * 8, SIZE - 4096 * 8);
  expected.fill(0, 4096 * 8);
  assert.deepEqual(readAll(overlay), expected);
});

test("overlay: needs a writable layer that is large enough", () => {
  const { base } = machine();
  assert.throws(() => new Overlay(base, new MemoryBackend(new Uint8Array(SIZE - 512))), /as large/);
  assert.throws(() => new Overlay(base, new MemoryBackend(new Uint8Array(SIZE), true)), /writable/);
});
