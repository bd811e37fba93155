import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { claimDisk } from "../disk/claim-node.ts";
import { tiny, tinyImage } from "../testing/tiny-guest.ts";
import type { PartitionDescription } from "./description.ts";
import { Partition } from "./partition-node.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-partition-"));
});
after(() => rm(folder, { recursive: true }));

let count = 0;
/** A description whose kernel does these things. */
async function guest(...steps: number[]): Promise<PartitionDescription> {
  const kernel = join(folder, `guest-${count++}`);
  await writeFile(kernel, tinyImage(steps));
  return { memoryMiB: 64, cpus: 1, boot: { kernel }, disks: [], ports: [] };
}

const output = async (partition: Partition): Promise<string> => {
  let text = "";
  for await (const bytes of partition.console) text += Buffer.from(bytes).toString();
  return text;
};

test("Partition: hands over what the guest prints, and how it ended", async () => {
  const partition = await Partition.start(await guest(...tiny.print("hello\n"), ...tiny.powerOff));
  assert.equal(await output(partition), "hello\n");
  assert.deepEqual(await partition.stopped, { reason: "power-off", code: 0, lastLines: ["hello"] });
});

test("Partition: gives the guest its input, and stops it behind its last byte", async () => {
  const partition = await Partition.start(await guest(...tiny.echo));
  const sent = "0123456789".repeat(300);
  void partition.console.write(Buffer.from(sent));
  let text = "";
  while (text.length < sent.length) text += Buffer.from((await partition.console.read()) ?? assert.fail()).toString();
  assert.equal(text, sent);
  await partition.drain();
  assert.equal((await partition.stopped).reason, "killed");
  assert.equal(await partition.console.read(), undefined);
});

test("Partition.kill: ends a guest that never does anything else", async () => {
  const partition = await Partition.start(await guest(...tiny.loop));
  await partition.kill();
  assert.equal((await partition.stopped).reason, "killed");
  assert.equal(await partition.console.write(new Uint8Array(1_000_000)), false);
});

test("Partition: tells a panic from a restart", async () => {
  const plain = await Partition.start(await guest(...tiny.print("x\n"), ...tiny.reset));
  assert.equal((await plain.stopped).reason, "reset");
  const words = "Kernel panic - not syncing: test\n";
  const panicked = await Partition.start(await guest(...tiny.print(words), ...tiny.reset));
  const { reason, lastLines } = await panicked.stopped;
  assert.equal(reason, "panic");
  assert.deepEqual(lastLines, [words.trim()]);
});

test("Partition: restarts a guest that reboots if it is told to, but not after a panic", async () => {
  const description = await guest(...tiny.print("up\n"), ...tiny.reset);
  const partition = await Partition.start({ ...description, onReboot: "restart" });
  let text = "";
  while (text.length < 9) text += Buffer.from((await partition.console.read()) ?? assert.fail()).toString();
  assert.match(text, /^(up\n){3}/);
  await partition.kill();
  const panics = await guest(...tiny.print("Kernel panic - not syncing: test\n"), ...tiny.reset);
  const panicked = await Partition.start({ ...panics, onReboot: "restart" });
  assert.equal((await panicked.stopped).reason, "panic");
});

test("Partition: notices that nothing can ever wake the guest", async () => {
  const partition = await Partition.start(await guest(...tiny.halt));
  assert.equal((await partition.stopped).reason, "stuck");
});

test("Partition.start: refuses what cannot be started, and leaves no claim behind", async () => {
  const good = await guest(...tiny.powerOff);
  const path = join(folder, "disk");
  await writeFile(path, new Uint8Array(4096));
  const disks = [{ path, readOnly: false, mode: "direct" }] as const;
  const missing = { ...good, disks, boot: { kernel: join(folder, "missing") } };
  await assert.rejects(Partition.start(missing), { code: "file-missing" });
  const noKernel = join(folder, "no-kernel");
  await writeFile(noKernel, new Uint8Array(4096));
  await assert.rejects(Partition.start({ ...good, disks, boot: { kernel: noKernel } }), { code: "kernel-format" });
  await assert.rejects(Partition.start({ ...good, disks, memoryMiB: 4 }), { code: "memory-too-small" });
  for (const wrong of [{ memoryMiB: 4096 }, { memoryMiB: 1.5 }, { cpus: 0 }, { disks: Array(17).fill(disks[0]) }]) {
    await assert.rejects(Partition.start({ ...good, ...wrong }), { code: "setting-invalid" });
  }
  await assert.rejects(Partition.start({ ...good, disks: [...disks, ...disks] }), { code: "disk-in-use" });
  await (await claimDisk(disks[0])).release();
});

test("Partition: holds its disks while it runs and no longer", async () => {
  const path = join(folder, "held");
  await writeFile(path, new Uint8Array(4096));
  const disk = { path, readOnly: false, mode: "direct" } as const;
  const partition = await Partition.start({ ...(await guest(...tiny.loop)), disks: [disk] });
  await assert.rejects(claimDisk(disk), { code: "disk-in-use" });
  await partition.kill();
  await (await claimDisk(disk)).release();
});

test("Partition: runs harts on threads of their own, and ends them with it", async () => {
  const printing = await guest(...tiny.print("two\n"), ...tiny.powerOff);
  const off = await Partition.start({ ...printing, cpus: 2 });
  assert.equal(await output(off), "two\n");
  assert.equal((await off.stopped).reason, "power-off");
  const looping = await Partition.start({ ...(await guest(...tiny.loop)), cpus: 4 });
  await looping.kill();
  assert.equal((await looping.stopped).reason, "killed");
  const stuck = await Partition.start({ ...(await guest(...tiny.halt)), cpus: 2 });
  assert.equal((await stuck.stopped).reason, "stuck");
});

test("Partition.port: knows only the ports of its description", async () => {
  const partition = await Partition.start({ ...(await guest(...tiny.loop)), ports: ["a"] });
  assert.equal(partition.port("a").name, "a");
  assert.throws(() => partition.port("b"), RangeError);
  await partition.kill();
});
