import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Random, seededRandom } from "../../testing/random.ts";
import type { BlockBackend } from "../backend.ts";
import { DiskError } from "../disk-error.ts";
import { MemoryBackend } from "../memory-backend.ts";
import { MemoryFile } from "../memory-file.ts";
import { imageChain, openDisk } from "../open-disk-node.ts";
import { checkQcow2 } from "./check.ts";
import { createQcow2 } from "./create.ts";
import { decompress } from "./decompress-node.ts";
import { Qcow2Image } from "./image.ts";

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const SIZE = 256 * 1024;
/** More by the variable, for a longer search. */
const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 300);
const directory = mkdtempSync(join(tmpdir(), "bulkhead-fuzz-"));
after(() => rmSync(directory, { recursive: true }));

/** A file that refuses to grow without end, and counts what is asked of it. */
class BoundedFile extends MemoryFile {
  work = 0;

  override read(offset: number, into: Uint8Array): number {
    this.work += into.length + 64;
    return super.read(offset, into);
  }

  override write(offset: number, from: Uint8Array): void {
    this.work += from.length + 64;
    if (offset + from.length > 64 * 1024 * 1024) throw Object.assign(new Error("file too large"), { code: "EFBIG" });
    super.write(offset, from);
  }
}

const isExpected = (error: unknown): boolean =>
  error instanceof DiskError || (error as { code?: string }).code === "EFBIG";

/** Does something, and gives undefined where it fails in a way that a user or a guest is to see. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    assert.ok(isExpected(error), error instanceof Error ? (error.stack ?? error.message) : String(error));
    return undefined;
  }
}

function sample(random: Random): Uint8Array<ArrayBuffer> {
  const file = new MemoryFile();
  const clusterBits = random.pick([9, 10, 12]);
  createQcow2(file, { size: SIZE, clusterBits, version: random.pick([2, 3]) });
  const image = new Qcow2Image(file);
  for (let i = 0; i < 12; i++)
    image.write(random.below(SIZE / 512 - 16) * 512, random.bytes(512 * (1 + random.below(16))));
  image.discard(0, SIZE / 4);
  image.close();
  return new Uint8Array(file.bytes);
}

/** Damages an image where it hurts: the header and whatever looks like a table. */
function damage(random: Random, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer);
  const entry = (): number => random.below(bytes.length / 8) * 8;
  for (let i = random.below(6); i >= 0; i--) {
    const kind = random.below(8);
    if (kind === 0) bytes[random.below(112)] ^= 1 << random.below(8);
    else if (kind === 1)
      view.setUint32(random.below(28) * 4, random.pick([0, 1, 0xffff_ffff, 512, random.below(2 ** 31)]));
    else if (kind === 2) bytes[random.below(bytes.length)] ^= 1 << random.below(8);
    else if (kind === 3) view.setBigUint64(entry(), view.getBigUint64(entry()));
    else if (kind === 4) view.setBigUint64(entry(), BigInt(random.below(600) * 512) | (BigInt(random.below(4)) << 62n));
    else if (kind === 5)
      view.setBigUint64(entry(), (BigInt(random.below(2 ** 31)) << 32n) | BigInt(random.below(2 ** 31)));
    else if (kind === 6)
      bytes.copyWithin(random.below(bytes.length), random.below(bytes.length), bytes.length - random.below(4096));
    else if (kind === 7 && random.below(4) === 0) return bytes.slice(0, random.below(bytes.length));
  }
  return bytes;
}

function use(random: Random, image: Qcow2Image): void {
  const size = Math.min(image.size, 2 ** 40);
  for (let i = 0; i < 12; i++) {
    const offset = random.pick([random.below(Math.min(size, SIZE) / 512) * 512, Math.floor((size - 8192) / 512) * 512]);
    const length = 512 * (1 + random.below(16));
    if (offset < 0 || offset + length > size) continue;
    const actions = [
      () => image.read(offset, new Uint8Array(length)),
      () => image.write(offset, new Uint8Array(length).fill(i)),
      () => image.discard(offset, length),
      () => image.writeZeroes(offset, length, true),
      () => image.flush(),
      () => image.resize(Math.min(size + 1024 * 1024, 2 ** 36)),
    ];
    attempt(random.pick(image.readOnly ? actions.slice(0, 1) : actions));
  }
}

test("qcow2: damaged images are refused or handled, with bounded work", (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), seed);
  for (let round = 0; round < ROUNDS; round++) {
    const file = new BoundedFile(damage(random, sample(random)), { readOnly: random.below(4) === 0 });
    const backing: BlockBackend | undefined =
      random.below(2) === 0 ? new MemoryBackend(new Uint8Array(4096), true) : undefined;
    const image = attempt(() => new Qcow2Image(file, { backing, decompress }));
    if (image === undefined) continue;
    attempt(() => checkQcow2(image, !image.readOnly && random.below(2) === 0));
    use(random, image);
    attempt(() => image.close());
    assert.ok(file.work < 512 * 1024 * 1024, `${file.work} bytes of work`);
  }
});

test("qcow2: noise with a right beginning is refused or handled", (t) => {
  const random = seededRandom((sentence) => t.diagnostic(sentence), seed);
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = random.bytes(2048 + random.below(8192));
    const view = new DataView(bytes.buffer);
    view.setUint32(0, 0x5146_49fb);
    view.setUint32(4, random.pick([2, 3]));
    view.setUint32(20, random.pick([9, 12, 16, 21]));
    view.setUint32(32, 0);
    if (random.below(2) === 0) view.setBigUint64(72, 0n);
    if (random.below(2) === 0) bytes.fill(0, 112, 1024);
    for (const at of [24, 40, 48]) view.setBigUint64(at, BigInt(random.below(16) * 512));
    for (const at of [8, 16, 36, 56, 60]) view.setUint32(at, random.below(4));
    const image = attempt(() => new Qcow2Image(new BoundedFile(bytes), { decompress }));
    if (image !== undefined) use(random, image);
  }
});

test("openDisk: refuses backing files that stand behind themselves, and chains without end", () => {
  const path = (name: string): string => join(directory, name);
  const write = (name: string, backing: string): void => {
    const file = new MemoryFile();
    createQcow2(file, { size: SIZE, backing: { path: backing, format: "qcow2" } });
    writeFileSync(path(name), file.bytes);
  };
  write("self", "self");
  write("a", "b");
  write("b", "./a");
  for (let i = 0; i < 70; i++) write(`long-${i}`, `long-${i + 1}`);
  for (const name of ["self", "a"]) {
    assert.throws(() => openDisk(path(name)), { code: "disk-corrupt", message: /behind itself/ });
    assert.throws(() => imageChain(path(name)), { code: "disk-corrupt" });
  }
  assert.throws(() => openDisk(path("long-0")), { code: "disk-format", message: /more than 64/ });
});

test("openDisk: says what it cannot do with an image", () => {
  const refused = (change: (view: DataView, bytes: Uint8Array) => void): string => {
    const file = new MemoryFile();
    createQcow2(file, { size: SIZE });
    const bytes = new Uint8Array(file.bytes);
    change(new DataView(bytes.buffer), bytes);
    const path = join(directory, "refused");
    writeFileSync(path, bytes);
    try {
      openDisk(path).close();
    } catch (error) {
      if (error instanceof DiskError) return `${error.code} ${error.message}`;
    }
    return assert.fail("it was opened");
  };
  const flags = (bits: bigint) => refused((view) => view.setBigUint64(72, bits));
  assert.match(flags(4n), /disk-format .*external data file/);
  assert.match(flags(16n), /disk-format .*extended level 2 entries/);
  assert.match(flags(2n), /disk-corrupt .*marked as corrupt/);
  assert.match(flags(1n << 20n), /disk-format .*unknown feature \(bit 20\)/);
  assert.match(
    refused((view) => view.setUint32(32, 1)),
    /disk-format .*encryption/,
  );
  assert.match(
    refused((view) => view.setUint32(4, 4)),
    /disk-format .*version 2 or 3, found 4/,
  );
  assert.match(
    refused((view) => view.setUint32(20, 30)),
    /disk-corrupt/,
  );
  assert.match(
    refused((view) => view.setBigUint64(24, 2n ** 60n)),
    /disk-corrupt .*does not fit/,
  );
  assert.match(
    refused((view) => view.setUint32(60, 2 ** 31)),
    /disk-corrupt .*snapshots/,
  );
  assert.match(
    refused((view) => view.setUint32(96, 7)),
    /disk-corrupt/,
  );
  assert.match(
    refused((_, bytes) => bytes.set([0x4b, 0x44, 0x4d, 0x56])),
    /disk-format .*VMDK/,
  );
  const named = (name: string): string =>
    refused((view, bytes) => {
      view.setBigUint64(8, 256n);
      view.setUint32(16, name.length);
      bytes.set(new TextEncoder().encode(name), 256);
    });
  assert.match(named("nbd://host/export"), /disk-format .*not a file/);
  assert.match(named("json:{}"), /disk-format .*not a file/);
  assert.match(named("absent.img"), /disk-missing/);
});

test("openDisk: refuses a truncated image", () => {
  const file = new MemoryFile();
  createQcow2(file, { size: SIZE });
  const image = new Qcow2Image(file);
  image.write(0, new Uint8Array(SIZE).fill(1));
  image.close();
  const path = join(directory, "truncated");
  writeFileSync(path, file.bytes);
  truncateSync(path, 65536 * 2);
  assert.throws(() => openDisk(path), { code: "disk-truncated" });
  writeFileSync(path, file.bytes);
  truncateSync(path, image.map.get(3).host);
  const disk = openDisk(path);
  disk.read(0, new Uint8Array(65536));
  assert.throws(() => disk.read(0, new Uint8Array(SIZE)), { code: "disk-truncated" });
  assert.throws(() => disk.write(3 * 65536, new Uint8Array(512)), { code: "disk-truncated" });
  disk.close();
});
