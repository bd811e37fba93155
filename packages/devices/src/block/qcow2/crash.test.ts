import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { qemuCheck, withoutQemuImg } from "../../testing/qemu-img-node.ts";
import { type Random, seededRandom } from "../../testing/random.ts";
import { MemoryBackend } from "../memory-backend.ts";
import { MemoryFile } from "../memory-file.ts";
import { checkQcow2 } from "./check.ts";
import { type CreateOptions, createQcow2 } from "./create.ts";
import { Qcow2Image } from "./image.ts";

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const SIZE = 512 * 1024;
const BLOCK = 512;
const directory = mkdtempSync(join(tmpdir(), "bulkhead-crash-"));
after(() => rmSync(directory, { recursive: true }));

class PowerLoss extends Error {}

/** A file that can lose its power: what was written since the last flush arrives in part and in any order. */
class FragileFile extends MemoryFile {
  stable: Uint8Array = new Uint8Array(0);
  /** Writes and flushes until the power fails. */
  left = Number.POSITIVE_INFINITY;
  #unstable: { offset: number; bytes: Uint8Array }[] = [];

  override write(offset: number, from: Uint8Array): void {
    if (this.left-- <= 0) throw new PowerLoss();
    super.write(offset, from);
    for (let at = 0; at < from.length; ) {
      const length = Math.min(from.length - at, BLOCK - ((offset + at) % BLOCK));
      this.#unstable.push({ offset: offset + at, bytes: from.slice(at, at + length) });
      at += length;
    }
  }

  override flush(): void {
    if (this.left-- <= 0) throw new PowerLoss();
    this.stable = this.bytes.slice();
    this.#unstable = [];
  }

  /** What is left after a loss of power now. Each sector is written whole or not at all. */
  survivor(random: Random): Uint8Array<ArrayBuffer> {
    const file = new MemoryFile(this.stable.slice());
    const share = random.below(101);
    for (const { offset, bytes } of this.#unstable) if (random.below(100) < share) file.write(offset, bytes);
    return new Uint8Array(file.bytes);
  }
}

/** Each block of the disk with all that it may hold: what it had at the last flush, and what came later. */
class Allowed {
  readonly #values: Set<number>[] = Array.from({ length: SIZE / BLOCK }, () => new Set([0]));
  readonly #latest = new Uint8Array(SIZE / BLOCK);

  constructor(content: Uint8Array) {
    for (const block of this.#values.keys()) this.wrote(block, content[block * BLOCK]);
    this.flushed();
  }

  wrote(block: number, value: number): void {
    this.#values[block].add(value);
    this.#latest[block] = value;
  }

  flushed(): void {
    for (const [block, value] of this.#latest.entries()) this.#values[block] = new Set([value]);
  }

  check(disk: Qcow2Image): void {
    const bytes = new Uint8Array(SIZE);
    disk.read(0, bytes);
    for (const [block, values] of this.#values.entries()) {
      const content = bytes.subarray(block * BLOCK, (block + 1) * BLOCK);
      assert.ok(values.has(content[0]), `block ${block} holds ${content[0]}, not one of ${[...values]}`);
      assert.ok(content.every((byte) => byte === content[0]));
    }
  }
}

function act(random: Random, file: FragileFile, disk: Qcow2Image, allowed: Allowed): void {
  const block = random.below(SIZE / BLOCK);
  const blocks = Math.min(1 + random.below(random.pick([1, 8, 200])), SIZE / BLOCK - block);
  const kind = random.below(12);
  if (kind === 0) {
    // A flush is where the order matters: half of the losses of power are to happen in one.
    if (random.below(3) === 0) file.left = random.below(random.pick([8, 60]));
    disk.flush();
    allowed.flushed();
    return;
  }
  const value = kind < 4 ? 0 : 1 + random.below(255);
  for (let i = 0; i < blocks; i++) allowed.wrote(block + i, value);
  if (kind === 1) disk.discard(block * BLOCK, blocks * BLOCK);
  if (value === 0) disk.writeZeroes(block * BLOCK, blocks * BLOCK, kind < 3);
  else disk.write(block * BLOCK, new Uint8Array(blocks * BLOCK).fill(value));
}

function actUntilLoss(random: Random, file: FragileFile, disk: Qcow2Image, allowed: Allowed): void {
  file.left = random.below(1000);
  try {
    for (;;) act(random, file, disk, allowed);
  } catch (error) {
    if (!(error instanceof PowerLoss)) throw error;
  }
}

const cases: [string, Partial<CreateOptions>, boolean][] = [
  ["clusters of 512 bytes", { clusterBits: 9 }, false],
  ["clusters of 512 bytes and 64-bit refcounts over a backing disk", { clusterBits: 9, refcountOrder: 6 }, true],
  ["clusters of 4 KiB over a backing disk", { clusterBits: 12 }, true],
  ["version 2 over a backing disk", { clusterBits: 10, version: 2 }, true],
];

for (const [what, options, behind] of cases) {
  test(`qcow2: a loss of power costs no flushed data and never corrupts, ${what}`, (t) => {
    const random = seededRandom((sentence) => t.diagnostic(sentence), seed);
    const base = Uint8Array.from({ length: SIZE }, (_, i) => 1 + ((i / BLOCK) & 0x7f));
    const backing = behind ? new MemoryBackend(base, true) : undefined;
    let file = new FragileFile();
    for (let life = 0; life < 80; life++) {
      if (life % 4 === 0) {
        file = new FragileFile();
        createQcow2(file, { size: SIZE, ...options });
      }
      const disk = new Qcow2Image(file, { backing });
      if (disk.header.dirty) {
        assert.equal(checkQcow2(disk, true).errors, 0);
        disk.flush();
        disk.markWhole();
      }
      const before = new Uint8Array(SIZE);
      disk.read(0, before);
      const allowed = new Allowed(before);
      actUntilLoss(random, file, disk, allowed);
      const survivor = file.survivor(random);
      file = new FragileFile(survivor);
      file.flush();
      const found = new Qcow2Image(new MemoryFile(survivor.slice()), { backing });
      assert.equal(checkQcow2(found, false).errors, 0);
      allowed.check(found);
      if (life % 20 === 0 && withoutQemuImg === false && !behind) {
        const path = join(directory, "survivor.qcow2");
        writeFileSync(path, survivor);
        assert.equal(qemuCheck(path).corruptions, 0);
      }
    }
  });
}

test("qcow2: a full disk of the host is an I/O error, and the image stays whole", (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), seed);
  class FullFile extends FragileFile {
    room = Number.POSITIVE_INFINITY;
    override write(offset: number, from: Uint8Array): void {
      const fits = Math.max(0, Math.min(from.length, this.room - offset));
      super.write(offset, from.subarray(0, fits));
      if (fits < from.length) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    }
  }
  for (let life = 0; life < 20; life++) {
    const file = new FullFile();
    createQcow2(file, { size: SIZE, clusterBits: 9 });
    const disk = new Qcow2Image(file);
    const plain = new Uint8Array(SIZE);
    const maybe = new Set<number>();
    file.room = file.size + 4096 + random.below(200_000);
    for (let i = 0; i < 100; i++) {
      const block = random.below(SIZE / BLOCK - 16);
      const bytes = new Uint8Array(16 * BLOCK).fill(1 + random.below(255));
      try {
        disk.write(block * BLOCK, bytes);
        plain.set(bytes, block * BLOCK);
        for (let b = block; b < block + 16; b++) maybe.delete(b);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "ENOSPC");
        for (let b = block; b < block + 16; b++) maybe.add(b);
      }
    }
    file.room = Number.POSITIVE_INFINITY;
    disk.close();
    const again = new Qcow2Image(new MemoryFile(file.bytes.slice()));
    assert.deepEqual(checkQcow2(again, false), { leaks: 0, errors: 0 });
    const found = new Uint8Array(SIZE);
    again.read(0, found);
    for (let block = 0; block < SIZE / BLOCK; block++) {
      if (!maybe.has(block)) assert.equal(found[block * BLOCK], plain[block * BLOCK]);
    }
  }
});
