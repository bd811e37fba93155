import assert from "node:assert/strict";
import { appendFile, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createQcow2, MemoryFile } from "@bulkhead/devices";
import { openDisk } from "@bulkhead/devices/node";
import { tiny, tinyImage } from "../testing/tiny-guest.ts";
import type { DiskDescription } from "./description.ts";
import { Partition } from "./partition-node.ts";

const MIB = 1024 * 1024;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-disks-"));
});
after(() => rm(folder, { recursive: true }));

let count = 0;
async function start(
  disk: Omit<DiskDescription, "readOnly" | "mode"> & Partial<DiskDescription>,
  warnings: string[] = [],
) {
  const kernel = join(folder, `guest-${count++}`);
  await writeFile(kernel, tinyImage(tiny.loop));
  const disks = [{ readOnly: false, mode: "direct", ...disk } as const];
  const description = { memoryMiB: 64, cpus: 1, boot: { kernel }, disks, ports: [] };
  return Partition.start(description, { onWarning: (text) => warnings.push(text) });
}

async function qcow2(bytes: number): Promise<string> {
  const path = join(folder, `disk-${count++}.qcow2`);
  const file = new MemoryFile();
  createQcow2(file, { size: bytes });
  await writeFile(path, file.bytes);
  return path;
}

const sizeOf = (path: string): number => {
  const disk = openDisk(path, { readOnly: true });
  disk.close();
  return disk.size;
};

for (const thread of [false, true]) {
  const where = thread ? "in a thread of its own" : "in the partition's thread";
  test(`Partition.resizeDisk: makes a qcow2 disk larger ${where}, and never smaller`, async () => {
    const path = await qcow2(MIB);
    const partition = await start({ path, thread });
    await partition.resizeDisk(0, 4 * MIB);
    await assert.rejects(partition.resizeDisk(0, 2 * MIB), { code: "disk-format" });
    await assert.rejects(partition.resizeDisk(1, 2 * MIB), RangeError);
    await partition.kill();
    assert.equal(sizeOf(path), 4 * MIB);
    await assert.rejects(partition.resizeDisk(0, 8 * MIB), { code: "disk-format", message: /stopped/ });
  });

  test(`Partition: what is wrong with a disk ${where} ends the start`, async () => {
    const path = await qcow2(MIB);
    await writeFile(path, new Uint8Array(8), { flag: "r+" });
    await assert.rejects(start({ path, thread, format: "qcow2" }), { code: "disk-format" });
  });
}

test("Partition: a raw disk's file that grows is a disk that grows", async () => {
  const path = join(folder, "growing");
  await writeFile(path, new Uint8Array(MIB));
  const partition = await start({ path, thread: true });
  await appendFile(path, new Uint8Array(MIB));
  // A disk that has grown cannot become what it was.
  for (let grown = false; !grown; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    grown = await partition.resizeDisk(0, MIB).then(
      () => false,
      () => true,
    );
  }
  await partition.kill();
  assert.equal((await stat(path)).size, 2 * MIB);
});

test("Partition: a server that cannot be reached ends the start", async () => {
  const path = `nbd+unix:///?socket=${join(folder, "nobody")}`;
  await assert.rejects(start({ path }), { code: "disk-unreachable" });
});

test("Partition: an image that was not closed is repaired, and the user is told", async () => {
  const path = await qcow2(MIB);
  const disk = openDisk(path);
  disk.write(0, new Uint8Array(65536));
  disk.flush();
  const warnings: string[] = [];
  const partition = await start({ path }, warnings);
  await partition.kill();
  assert.match(warnings.join(), /had not been closed: it is whole/);
});
