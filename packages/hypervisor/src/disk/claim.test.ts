import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createQcow2, MemoryFile } from "@bulkhead/devices";
import type { DiskDescription } from "../partition/description.ts";
import { claimDisk } from "./claim-node.ts";
import { foreignLocks } from "./lock-node.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-disk-"));
});
after(() => rm(folder, { recursive: true }));

const disk = async (
  name: string,
  bytes: number | Uint8Array,
  rest: Partial<DiskDescription> = {},
): Promise<DiskDescription> => {
  const path = join(folder, name);
  await writeFile(path, typeof bytes === "number" ? new Uint8Array(bytes) : bytes);
  return { path, readOnly: false, mode: "direct", ...rest };
};

test("claimDisk: gives the size of a whole raw image", async () => {
  const claim = await claimDisk(await disk("whole", 1024));
  assert.equal(claim.bytes, 1024);
  assert.equal(claim.locked, true);
  await claim.release();
});

test("claimDisk: refuses a missing file", async () => {
  const missing: DiskDescription = { path: join(folder, "missing"), readOnly: false, mode: "direct" };
  await assert.rejects(claimDisk(missing), { code: "file-missing" });
  await assert.rejects(claimDisk({ ...missing, mode: "overlay" }), { code: "file-missing" });
});

test("claimDisk: refuses a directory", async () => {
  await assert.rejects(claimDisk({ path: folder, readOnly: false, mode: "direct" }), { code: "disk-format" });
  await assert.rejects(claimDisk({ path: folder, readOnly: true, mode: "direct" }), { code: "disk-format" });
});

test("claimDisk: refuses to write to a read-only file, but lets it be read", async () => {
  const description = await disk("read-only", 512);
  await chmod(description.path, 0o444);
  await assert.rejects(claimDisk(description), { code: "disk-read-only" });
  await (await claimDisk({ ...description, mode: "overlay" })).release();
  await (await claimDisk({ ...description, readOnly: true })).release();
});

test("claimDisk: refuses an empty file, half a sector and half a file system", async () => {
  await assert.rejects(claimDisk(await disk("empty", 0)), { code: "disk-truncated" });
  await assert.rejects(claimDisk(await disk("half", 700)), { code: "disk-truncated" });
  const ext4 = new Uint8Array(4096);
  const view = new DataView(ext4.buffer);
  view.setUint16(1024 + 56, 0xef53, true);
  view.setUint32(1024 + 4, 64, true);
  const description = await disk("ext4", ext4);
  await assert.rejects(claimDisk(description), { code: "disk-truncated", message: /needs 65536 bytes/ });
  await truncate(description.path, 65536);
  await (await claimDisk(description)).release();
});

test("claimDisk: refuses an image of another format", async () => {
  await assert.rejects(claimDisk(await disk("vmdk", new Uint8Array([0x4b, 0x44, 0x4d, 0x56]))), {
    code: "disk-format",
    message: /VMDK/,
  });
  const noise = await disk("qcow2", new Uint8Array([0x51, 0x46, 0x49, 0xfb]));
  await assert.rejects(claimDisk(noise), { code: "disk-format" });
  await assert.rejects(claimDisk({ ...noise, path: "nbds://host/export" }), { code: "disk-format", message: /TLS/ });
});

test("claimDisk: an explicit format wins over what the content looks like", async () => {
  const bytes = new Uint8Array(512);
  bytes.set([0x51, 0x46, 0x49, 0xfb]);
  const claim = await claimDisk(await disk("looks-like-qcow2", bytes, { format: "raw" }));
  assert.equal(claim.format, "raw");
  await claim.release();
});

test("claimDisk: keeps others from writing to what stands behind a qcow2 image", async () => {
  const base = await disk("base", 65536);
  const top = join(folder, "top");
  const file = new MemoryFile();
  createQcow2(file, { size: 65536, backing: { path: "base", format: "raw" } });
  await writeFile(top, file.bytes);
  const claim = await claimDisk({ ...base, path: top });
  assert.equal(claim.format, "qcow2");
  await assert.rejects(claimDisk(base), { code: "disk-in-use" });
  await (await claimDisk({ ...base, readOnly: true })).release();
  await claim.release();
  await rm(base.path);
  await assert.rejects(claimDisk({ ...base, path: top }), { code: "file-missing" });
});

test("claimDisk: lets many read and one write", async () => {
  const writer = await disk("shared", 512);
  const reader: DiskDescription = { ...writer, mode: "overlay" };
  const first = await claimDisk(reader);
  const second = await claimDisk(reader);
  await assert.rejects(claimDisk(writer), { code: "disk-in-use" });
  await first.release();
  await second.release();
  const owner = await claimDisk(writer);
  await assert.rejects(claimDisk(writer), { code: "disk-in-use" });
  await assert.rejects(claimDisk(reader), { code: "disk-in-use" });
  await owner.release();
});

test("claimDisk: a claim ends with a process that is killed, and leaves no file behind", async () => {
  const description = await disk("killed", 512);
  const source = new URL("./claim-node.ts", import.meta.url).href;
  const program = `const { claimDisk } = await import(${JSON.stringify(source)});
    await claimDisk(${JSON.stringify(description)}); console.log("claimed"); setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(owner.stdout, "data");
  await assert.rejects(claimDisk(description), { code: "disk-in-use" });
  owner.kill("SIGKILL");
  await once(owner, "exit");
  await (await claimDisk(description)).release();
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.includes("killed")),
    ["killed"],
  );
});

test("claimDisk: says when the host cannot lock files", async (t) => {
  const path = process.env.PATH;
  t.after(() => {
    process.env.PATH = path;
  });
  process.env.PATH = folder;
  const claim = await claimDisk(await disk("lockless", 512));
  assert.equal(claim.locked, false);
  await claim.release();
});

test("foreignLocks: counts the locks that QEMU takes", () => {
  const table = [
    "1: OFDLCK ADVISORY  READ -1 fe:01:77 100 101",
    "2: FLOCK  ADVISORY  WRITE 12 fe:01:77 0 EOF",
    "3: POSIX  ADVISORY  WRITE 13 fe:01:78 0 EOF",
  ].join("\n");
  const device = 0xfe01;
  assert.equal(foreignLocks(table, device, 77, true), 1);
  assert.equal(foreignLocks(table, device, 77, false), 0);
  assert.equal(foreignLocks(table, device, 78, false), 1);
  assert.equal(foreignLocks(table, device, 79, true), 0);
});
