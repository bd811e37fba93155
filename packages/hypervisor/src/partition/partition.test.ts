import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { claimDisk } from "../disk/claim-node.ts";
import type { PartitionDescription } from "./description.ts";
import { Partition } from "./partition-node.ts";

// Guests of a few instructions, behind the header of a kernel Image: t0 is the serial port, t2 the power switch.
const t0 = 5;
const t1 = 6;
const t2 = 7;
const lui = (rd: number, upper: number): number => ((upper << 12) | (rd << 7) | 0x37) >>> 0;
const addi = (rd: number, rs: number, imm: number): number =>
  (((imm & 0xfff) << 20) | (rs << 15) | (rd << 7) | 0x13) >>> 0;
const sb = (rs2: number, rs1: number): number => ((rs2 << 20) | (rs1 << 15) | 0x23) >>> 0;
const sw = (rs2: number, rs1: number): number => ((rs2 << 20) | (rs1 << 15) | (2 << 12) | 0x23) >>> 0;
const lbu = (rd: number, rs: number, imm: number): number =>
  ((imm << 20) | (rs << 15) | (4 << 12) | (rd << 7) | 0x03) >>> 0;
const andi = (rd: number, rs: number, imm: number): number =>
  ((imm << 20) | (rs << 15) | (7 << 12) | (rd << 7) | 0x13) >>> 0;
/** Branches back over `words` instructions when the register is 0, or always. */
const back = (words: number, rs?: number): number => {
  const offset = -4 * words;
  const low = (((offset >> 1) & 0xf) << 8) | (((offset >> 11) & 1) << 7);
  const high = (((offset >> 5) & 0x3f) << 25) | (((offset >> 12) & 1) << 31);
  return (high | ((rs ?? 0) << 15) | low | 0x63) >>> 0;
};
const WFI = 0x1050_0073;
const JUMP_OVER_HEADER = 0x0400_006f;

const begin = [lui(t0, 0x1_0000), lui(t2, 0x100)];
const print = (text: string): number[] => [...text].flatMap((c) => [addi(t1, 0, c.charCodeAt(0)), sb(t1, t0)]);
const powerOff = [lui(t1, 0x5), addi(t1, t1, 0x555), sw(t1, t2), back(0)];
const reset = [lui(t1, 0x7), addi(t1, t1, 0x777), sw(t1, t2), back(0)];
const echo = [lbu(t1, t0, 5), andi(t1, t1, 1), back(2, t1), lbu(t1, t0, 0), sb(t1, t0), back(5)];

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-partition-"));
});
after(() => rm(folder, { recursive: true }));

let count = 0;
/** A description whose kernel is these instructions. */
async function guest(...program: number[]): Promise<PartitionDescription> {
  const image = new Uint8Array(64 + program.length * 4);
  const view = new DataView(image.buffer);
  view.setUint32(0, JUMP_OVER_HEADER, true);
  view.setBigUint64(8, 0x20_0000n, true);
  view.setBigUint64(16, 0x1000n, true);
  image.set(new TextEncoder().encode("RISCV\0\0\0RSC\x05"), 48);
  for (const [i, word] of program.entries()) view.setUint32(64 + i * 4, word, true);
  const kernel = join(folder, `guest-${count++}`);
  await writeFile(kernel, image);
  return { memoryMiB: 64, cpus: 1, boot: { kernel }, disks: [], ports: [] };
}

const output = async (partition: Partition): Promise<string> => {
  let text = "";
  for await (const bytes of partition.console) text += Buffer.from(bytes).toString();
  return text;
};

test("Partition: hands over what the guest prints, and how it ended", async () => {
  const partition = await Partition.start(await guest(...begin, ...print("hello\n"), ...powerOff));
  assert.equal(await output(partition), "hello\n");
  assert.deepEqual(await partition.stopped, { reason: "power-off", code: 0, lastLines: ["hello"] });
});

test("Partition: gives the guest its input, and stops it behind its last byte", async () => {
  const partition = await Partition.start(await guest(...begin, ...echo));
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
  const partition = await Partition.start(await guest(back(0)));
  await partition.kill();
  assert.equal((await partition.stopped).reason, "killed");
  assert.equal(await partition.console.write(new Uint8Array(1_000_000)), false);
});

test("Partition: tells a panic from a restart", async () => {
  const plain = await Partition.start(await guest(...begin, ...print("x\n"), ...reset));
  assert.equal((await plain.stopped).reason, "reset");
  const words = "Kernel panic - not syncing: test\n";
  const panicked = await Partition.start(await guest(...begin, ...print(words), ...reset));
  const { reason, lastLines } = await panicked.stopped;
  assert.equal(reason, "panic");
  assert.deepEqual(lastLines, [words.trim()]);
});

test("Partition: notices that nothing can ever wake the guest", async () => {
  const partition = await Partition.start(await guest(WFI, back(1)));
  assert.equal((await partition.stopped).reason, "stuck");
});

test("Partition.start: refuses what cannot be started, and leaves no claim behind", async () => {
  const good = await guest(...begin, ...powerOff);
  const path = join(folder, "disk");
  await writeFile(path, new Uint8Array(4096));
  const disks = [{ path, readOnly: false, mode: "direct" }] as const;
  const missing = { ...good, disks, boot: { kernel: join(folder, "missing") } };
  await assert.rejects(Partition.start(missing), { code: "file-missing" });
  const noKernel = join(folder, "no-kernel");
  await writeFile(noKernel, new Uint8Array(4096));
  await assert.rejects(Partition.start({ ...good, disks, boot: { kernel: noKernel } }), { code: "kernel-format" });
  await assert.rejects(Partition.start({ ...good, disks, memoryMiB: 4 }), { code: "memory-too-small" });
  for (const wrong of [{ memoryMiB: 4096 }, { memoryMiB: 1.5 }, { cpus: 0 }, { disks: Array(7).fill(disks[0]) }]) {
    await assert.rejects(Partition.start({ ...good, ...wrong }), { code: "setting-invalid" });
  }
  await assert.rejects(Partition.start({ ...good, disks: [...disks, ...disks] }), { code: "disk-in-use" });
  await (await claimDisk(disks[0])).release();
});

test("Partition: holds its disks while it runs and no longer", async () => {
  const path = join(folder, "held");
  await writeFile(path, new Uint8Array(4096));
  const disk = { path, readOnly: false, mode: "direct" } as const;
  const partition = await Partition.start({ ...(await guest(back(0))), disks: [disk] });
  await assert.rejects(claimDisk(disk), { code: "disk-in-use" });
  await partition.kill();
  await (await claimDisk(disk)).release();
});

test("Partition.port: knows only the ports of its description", async () => {
  const partition = await Partition.start({ ...(await guest(back(0))), ports: ["a"] });
  assert.equal(partition.port("a").name, "a");
  assert.throws(() => partition.port("b"), RangeError);
  await partition.kill();
});
