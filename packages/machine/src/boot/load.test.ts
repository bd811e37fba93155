import assert from "node:assert/strict";
import { test } from "node:test";
import { cellsOf, nodeAt, type RawNode, readDeviceTree, stringsOf } from "../device-tree/read.ts";
import { GuestMemory, RAM_BASE } from "../memory.ts";
import { BootError, type BootErrorCode } from "./boot-error.ts";
import { type BootDescription, type Loaded, loadBoot } from "./load.ts";
import { NEXT_STAGE } from "./placement.ts";
import { sampleElf, sampleImage } from "./sample-files.ts";

const MIB = 1024 * 1024;
const hardware = { harts: 1, virtioSlots: [], seed: new Uint8Array(32) };
const refuses = (ramSize: number, boot: BootDescription, code: BootErrorCode) =>
  assert.throws(
    () => loadBoot(new GuestMemory(ramSize, 1), boot, hardware),
    (error) => error instanceof BootError && error.code === code,
  );

function start(ramSize: number, boot: BootDescription): { memory: GuestMemory; entry: Loaded; tree: RawNode } {
  const memory = new GuestMemory(ramSize, 1);
  const entry = loadBoot(memory, boot, hardware);
  const tree = readDeviceTree(memory.readable(entry.deviceTree, 64 * 1024)!.slice());
  assert.ok(tree);
  return { memory, entry, tree };
}

const initrdOf = (tree: RawNode) => {
  const chosen = nodeAt(tree, "/chosen");
  return [cellsOf(chosen, "linux,initrd-start")![1], cellsOf(chosen, "linux,initrd-end")![1]];
};

test("loadBoot: an Image goes to its text offset and is entered in S-mode", () => {
  const kernel = sampleImage([0x1234_5678]);
  const { memory, entry, tree } = start(64 * MIB, { kernel, bootArguments: "quiet" });
  assert.equal(entry.mode, "supervisor");
  assert.equal(entry.address, RAM_BASE + 2 * MIB);
  assert.deepEqual(memory.readable(entry.address, kernel.length)!.slice(), kernel);
  assert.equal(entry.deviceTree % 8, 0);
  assert.deepEqual(stringsOf(nodeAt(tree, "/chosen"), "bootargs"), ["quiet"]);
});

test("loadBoot: the initrd lies below the device tree, page-aligned, behind the kernel's memory", () => {
  const initrd = new Uint8Array(10_000).fill(0xab);
  const { memory, entry, tree } = start(64 * MIB, { kernel: sampleImage([], 20 * MIB), initrd });
  const [first, end] = initrdOf(tree);
  assert.equal(end - first, initrd.length);
  assert.equal(first % 4096, 0);
  assert.ok(end <= entry.deviceTree);
  assert.ok(first >= RAM_BASE + 22 * MIB);
  assert.deepEqual(memory.readable(first, initrd.length)!.slice(), initrd);
});

test("loadBoot: the device tree stays below 3 GiB in a large memory", () => {
  const { entry, tree } = start(2560 * MIB, { kernel: sampleImage(), initrd: new Uint8Array(1) });
  assert.ok(entry.deviceTree < 0xc000_0000);
  assert.ok(initrdOf(tree)[1] <= entry.deviceTree);
});

test("loadBoot: refuses kernels and initrds that do not fit, with a number in the sentence", () => {
  refuses(64 * MIB, { kernel: sampleImage([], 60 * MIB) }, "memory-too-small");
  refuses(1 * MIB, { kernel: sampleImage() }, "memory-too-small");
  refuses(64 * MIB, { kernel: sampleImage(), initrd: new Uint8Array(60 * MIB) }, "initrd-too-large");
  refuses(64 * MIB, { kernel: new Uint8Array(4096) }, "not-an-image");
  refuses(64 * MIB, { kernel: sampleImage(), bootArguments: "x".repeat(70_000) }, "command-line-too-long");
  const tooLarge = { kernel: sampleImage(), initrd: new Uint8Array(60 * MIB) };
  assert.throws(() => loadBoot(new GuestMemory(64 * MIB, 1), tooLarge, hardware), /60 MiB.*only 4\d MiB/);
});

test("loadBoot: every memory size either fits or says that it does not", () => {
  const initrd = new Uint8Array(3 * MIB);
  for (let ramSize = 65536; ramSize < 48 * MIB; ramSize += 31 * 65536) {
    for (const boot of [
      { kernel: sampleImage([], 5 * MIB), initrd },
      { firmware: new Uint8Array(MIB), initrd },
    ]) {
      try {
        const { entry, tree } = start(ramSize, boot);
        assert.ok(initrdOf(tree)[1] <= entry.deviceTree && entry.deviceTree < RAM_BASE + ramSize);
      } catch (error) {
        assert.ok(error instanceof BootError, String(error));
      }
    }
  }
});

test("loadBoot: firmware lies at the start of RAM with its next stage at 2 MiB", () => {
  const firmware = Uint8Array.of(1, 2, 3, 4);
  const kernel = new Uint8Array(1000).fill(9);
  const initrd = new Uint8Array(5000).fill(3);
  const { memory, entry, tree } = start(256 * MIB, { firmware, kernel, initrd });
  assert.equal(entry.mode, "machine");
  assert.equal(entry.address, RAM_BASE);
  assert.deepEqual(memory.readable(RAM_BASE, 4)!.slice(), firmware);
  assert.deepEqual(memory.readable(NEXT_STAGE, 1000)!.slice(), kernel);
  assert.deepEqual(initrdOf(tree), [NEXT_STAGE + 128 * MIB, NEXT_STAGE + 128 * MIB + 5000]);
  const dynamic = new BigUint64Array(entry.rom.slice().buffer);
  assert.deepEqual([...dynamic], [0x4942_534fn, 2n, BigInt(NEXT_STAGE), 1n, 0n, 0n]);
});

test("loadBoot: firmware and next stage may be ELF files", () => {
  const code = Uint8Array.of(5, 6);
  const firmware = sampleElf(RAM_BASE + 1, [{ physical: RAM_BASE, bytes: code }]);
  const kernel = sampleElf(NEXT_STAGE + 0x101, [{ physical: NEXT_STAGE + 0x100, bytes: code }]);
  const { memory, entry } = start(64 * MIB, { firmware, kernel });
  assert.equal(entry.address, RAM_BASE + 1);
  assert.deepEqual([...memory.readable(NEXT_STAGE + 0x100, 2)!], [5, 6]);
  const dynamic = new BigUint64Array(entry.rom.slice().buffer);
  assert.equal(dynamic[2], BigInt(NEXT_STAGE + 0x101));
});

test("loadBoot: firmware without a next stage is told so by an address of 0", () => {
  const { entry } = start(64 * MIB, { firmware: Uint8Array.of(1) });
  const dynamic = new BigUint64Array(entry.rom.slice().buffer);
  assert.equal(dynamic[2], 0n);
});

test("loadBoot: refuses firmware that is empty, packed, too large or in the next stage's place", () => {
  refuses(64 * MIB, { firmware: new Uint8Array(0) }, "truncated");
  refuses(64 * MIB, { firmware: Uint8Array.of(0x1f, 0x8b, 8) }, "compressed-image");
  refuses(4 * MIB, { firmware: new Uint8Array(5 * MIB) }, "memory-too-small");
  refuses(4 * MIB, { firmware: new Uint8Array(4 * MIB) }, "memory-too-small");
  refuses(64 * MIB, { firmware: new Uint8Array(3 * MIB), kernel: Uint8Array.of(1) }, "out-of-place");
  refuses(64 * MIB, { firmware: Uint8Array.of(1), initrd: new Uint8Array(40 * MIB) }, "initrd-too-large");
});
