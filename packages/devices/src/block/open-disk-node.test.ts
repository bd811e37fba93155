import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openDisk } from "./open-disk-node.ts";
import { Overlay } from "./overlay.ts";
import { openTemporaryDisk } from "./temporary-file-node.ts";

const directory = mkdtempSync(join(tmpdir(), "bulkhead-disk-"));
after(() => rmSync(directory, { recursive: true }));

function image(name: string, bytes = 4096): string {
  const path = join(directory, name);
  writeFileSync(path, new Uint8Array(bytes).fill(7));
  return path;
}

test("openDisk: reads and writes the file, also through shared memory", () => {
  const path = image("plain");
  const disk = openDisk(path);
  const shared = new Uint8Array(new SharedArrayBuffer(512));
  disk.read(512, shared);
  assert.ok(shared.every((byte) => byte === 7));
  disk.write(1024, shared.fill(9));
  disk.flush();
  disk.close();
  assert.deepEqual([...readFileSync(path).subarray(1023, 1025)], [7, 9]);
});

test("openDisk: reads and writes memory in many pieces, and in as many as there are", () => {
  const path = image("pieces", 2 * 1024 * 1024);
  const disk = openDisk(path);
  const bytes = Uint8Array.from({ length: 1500 * 512 }, (_, i) => i >> 9);
  const cut = (from: Uint8Array) => Array.from({ length: 1500 }, (_, i) => from.subarray(i * 512, (i + 1) * 512));
  disk.writePieces(512, cut(bytes));
  const found = new Uint8Array(bytes.length);
  disk.readPieces(512, cut(found));
  assert.deepEqual(found, bytes);
  assert.deepEqual(new Uint8Array(readFileSync(path)).subarray(512, 512 + bytes.length), bytes);
  truncateSync(path, 1000 * 512);
  assert.throws(() => disk.readPieces(512, cut(found)), { code: "disk-truncated" });
  disk.close();
});

test("openDisk: says by its code what is wrong", () => {
  mkdirSync(join(directory, "folder"));
  const codes: [string, boolean, string][] = [
    [join(directory, "absent"), false, "disk-missing"],
    [join(image("file"), "below"), false, "disk-missing"],
    [join(directory, "folder"), false, "disk-unreadable"],
    [join(directory, "folder"), true, "disk-unreadable"],
    ["/dev/null", true, "disk-unreadable"],
    [image("ragged", 1000), false, "disk-truncated"],
    [image("empty", 0), true, "disk-truncated"],
  ];
  for (const [path, readOnly, code] of codes) assert.throws(() => openDisk(path, { readOnly }), { code }, path);
});

test("openDisk: tells a read-only file from one it may not read", () => {
  // Not even root may write this one.
  assert.throws(() => openDisk("/sys/kernel/uevent_seqnum"), { code: "disk-read-only" });
  if (process.getuid?.() === 0) return;
  const path = image("guarded");
  chmodSync(path, 0o444);
  assert.throws(() => openDisk(path), { code: "disk-read-only" });
  openDisk(path, { readOnly: true }).close();
  chmodSync(path, 0o000);
  assert.throws(() => openDisk(path), { code: "disk-unreadable" });
});

test("read: a file that became shorter is an error, not zeros", () => {
  const path = image("shrunk");
  const disk = openDisk(path);
  truncateSync(path, 512);
  assert.throws(() => disk.read(0, new Uint8Array(1024)), { code: "disk-truncated" });
  disk.close();
});

test("openTemporaryDisk: an overlay on it leaves the image and the directory as they were", () => {
  const path = image("base");
  const before = readdirSync(directory);
  const overlay = new Overlay(openDisk(path, { readOnly: true }), openTemporaryDisk(4096, directory));
  overlay.write(512, new Uint8Array(512).fill(1));
  overlay.flush();
  const found = new Uint8Array(1536);
  overlay.read(0, found);
  assert.deepEqual([found[511], found[512], found[1023], found[1024]], [7, 1, 1, 7]);
  overlay.close();
  assert.deepEqual(readdirSync(directory), before);
  assert.ok(readFileSync(path).every((byte) => byte === 7));
});

test("openTemporaryDisk: does without a directory that cannot be written", () => {
  const disk = openTemporaryDisk(512, join(directory, "absent"));
  disk.write(0, new Uint8Array(512).fill(3));
  disk.close();
});

test("openTemporaryDisk: a size the file system refuses leaves nothing behind", () => {
  const before = readdirSync(directory);
  assert.throws(() => openTemporaryDisk(2 ** 63, directory));
  assert.deepEqual(readdirSync(directory), before);
});
