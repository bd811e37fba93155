import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { crc32 } from "node:zlib";
import { HostError } from "../host-error.ts";
import { CHECKSUM_AT, HEADER_BYTES, inherited, NOWHERE, PAGE_BYTES, type SnapshotMeta, ZEROS } from "./format.ts";
import { closeSnapshot, openSnapshot, PageReader } from "./reader-node.ts";
import { SnapshotWriter } from "./writer-node.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-snapshot-"));
});
after(() => rm(folder, { recursive: true }));

const meta = (id: string, pages: number, ancestors: SnapshotMeta["ancestors"] = []): SnapshotMeta => ({
  id,
  program: "test",
  ancestors,
  spaces: [{ name: "ram", pages }],
  configuration: {},
  state: { value: 12345678901234567890n, bytes: Uint8Array.of(1, 2, 3) },
});

/** Pages with content of different kinds: random, regular, equal to others, zero. */
function samplePages(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const page = new Uint8Array(PAGE_BYTES);
    if (i % 4 === 0) crypto.getRandomValues(page);
    else if (i % 4 === 1) page.fill(i);
    else if (i % 4 === 2) page.fill(77);
    return page;
  });
}

async function write(path: string, pages: readonly Uint8Array[], id = "one"): Promise<void> {
  const writer = new SnapshotWriter(path);
  const index = new Uint32Array(pages.length);
  for (const [i, page] of pages.entries()) {
    index[i] = page.every((byte) => byte === 0) ? NOWHERE : writer.add(page);
    await writer.settle();
  }
  await writer.commit(meta(id, pages.length), [index]);
}

function read(path: string): Uint8Array[] {
  const snapshot = openSnapshot(path);
  const { layers, indices } = snapshot;
  const reader = new PageReader(layers);
  const pages = [...indices[0]].map((ref) => {
    const page = new Uint8Array(PAGE_BYTES);
    reader.load(ref, page);
    return page;
  });
  closeSnapshot(snapshot);
  return pages;
}

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return "none";
  } catch (error) {
    return error instanceof HostError ? error.code : String(error);
  }
};

test("SnapshotWriter: what it takes a reader gives back, in whatever order", async () => {
  const path = join(folder, "plain");
  const pages = samplePages(101);
  await write(path, pages);
  assert.deepEqual(read(path), pages);
  const { layers, indices, meta: found } = openSnapshot(path);
  assert.deepEqual(found.state, { value: 12345678901234567890n, bytes: Uint8Array.of(1, 2, 3) });
  const reader = new PageReader(layers);
  for (let n = 0; n < 200; n++) {
    const page = Math.floor(Math.random() * pages.length);
    const into = new Uint8Array(PAGE_BYTES);
    reader.load(indices[0][page], into);
    assert.deepEqual(into, pages[page]);
  }
});

test("SnapshotWriter: equal pages are stored once, zeros never", async () => {
  const path = join(folder, "equal");
  const page = crypto.getRandomValues(new Uint8Array(PAGE_BYTES));
  await write(path, [...Array(500).fill(page), ...Array(500).fill(new Uint8Array(PAGE_BYTES))]);
  const { size } = await (await import("node:fs/promises")).stat(path);
  assert.ok(size < 2 * PAGE_BYTES, `${size} bytes`);
});

test("SnapshotWriter.abort: leaves what was there, and nothing else", async () => {
  const path = join(folder, "aborted");
  await write(path, samplePages(5));
  const before = await readFile(path);
  const writer = new SnapshotWriter(path);
  for (const page of samplePages(40)) writer.add(page);
  await writer.abort();
  assert.deepEqual(await readFile(path), before);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.includes("partial")),
    [],
  );
});

test("openSnapshot: follows pages into the files that it builds on, and refuses other files in their place", async () => {
  const [base, child] = [join(folder, "base"), join(folder, "child")];
  const pages = samplePages(40);
  await write(base, pages, "base id");
  const below = openSnapshot(base);
  const writer = new SnapshotWriter(child);
  const index = below.indices[0].map(inherited);
  const changed = new Uint8Array(PAGE_BYTES).fill(200);
  index[3] = writer.add(changed);
  index[8] = ZEROS;
  await writer.commit(meta("child id", 40, [{ id: "base id", file: "base" }]), [index]);
  const expected = pages.map((page, i) => (i === 3 ? changed : i === 8 ? new Uint8Array(PAGE_BYTES) : page));
  assert.deepEqual(read(child), expected);
  await write(base, pages, "another id");
  assert.equal(
    codeOf(() => read(child)),
    "snapshot-foreign",
  );
  await rm(base);
  assert.equal(
    codeOf(() => read(child)),
    "file-missing",
  );
});

test("openSnapshot: refuses what is no snapshot, or one of a version to come", async () => {
  const path = join(folder, "foreign");
  for (const text of ["", "BULK", "hello world, I am no snapshot\n".repeat(10)]) {
    await writeFile(path, text);
    assert.equal(
      codeOf(() => openSnapshot(path)),
      "snapshot-foreign",
    );
  }
  await write(path, samplePages(5));
  const bytes = await readFile(path);
  bytes.writeUInt32LE(2, 8);
  bytes.fill(0, CHECKSUM_AT, CHECKSUM_AT + 4);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER_BYTES)), CHECKSUM_AT);
  await writeFile(path, bytes);
  assert.throws(() => openSnapshot(path), /expected format 1, found 2/);
});

test("openSnapshot: refuses every file with a bit flipped or an end cut off", async () => {
  const path = join(folder, "good");
  await write(path, samplePages(90));
  const good = await readFile(path);
  const bad = join(folder, "bad");
  const seed = Math.floor(Math.random() * 2 ** 31);
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((state / 2 ** 31) * below);
  };
  for (let n = 0; n < 600; n++) {
    // The header and the end more often than their share.
    const part = n % 3;
    const at = part === 0 ? next(HEADER_BYTES) : part === 1 ? good.length - 1 - next(400) : next(good.length);
    const bytes = Buffer.from(good);
    const cut = n % 10 === 9;
    if (!cut) bytes[at] ^= 1 << next(8);
    await writeFile(bad, cut ? bytes.subarray(0, at) : bytes);
    const code = codeOf(() => openSnapshot(bad));
    assert.match(code, /^snapshot-(corrupt|foreign)$/, `seed ${seed}, case ${n}, byte ${at}`);
  }
});

test("PageReader: refuses a page whose file was damaged after it was opened", async () => {
  const path = join(folder, "later");
  await write(path, samplePages(5));
  const { layers, indices } = openSnapshot(path);
  const reader = new PageReader(layers);
  const bytes = await readFile(path);
  bytes[HEADER_BYTES + 10] ^= 1;
  await writeFile(path, bytes);
  assert.equal(
    codeOf(() => reader.load(indices[0][0], new Uint8Array(PAGE_BYTES))),
    "snapshot-corrupt",
  );
});
