import assert from "node:assert/strict";
import { test } from "node:test";
import { isaExtensions, isaString } from "./isa-extensions.ts";
import { type MachineTree, machineTree } from "./machine-tree.ts";
import { cellsOf, nodeAt, type RawNode, readDeviceTree, stringsOf } from "./read.ts";
import { writeDeviceTree } from "./write.ts";

const seed = new Uint8Array(32).fill(7);
const description: MachineTree = { harts: 2, ramSize: 0x1000_0000, virtioSlots: [0, 3], seed };
const read = (tree: MachineTree): RawNode => readDeviceTree(writeDeviceTree(machineTree(tree)))!;

test("machineTree: memory and harts are as described", () => {
  const root = read(description);
  assert.deepEqual(cellsOf(nodeAt(root, "/memory@80000000"), "reg"), [0, 0x8000_0000, 0, 0x1000_0000]);
  assert.deepEqual(
    nodeAt(root, "/cpus")!.children.map((child) => child.name),
    ["cpu@0", "cpu@1"],
  );
  assert.deepEqual(cellsOf(nodeAt(root, "/cpus"), "timebase-frequency"), [10_000_000]);
  assert.deepEqual(stringsOf(nodeAt(root, "/cpus/cpu@1"), "mmu-type"), ["riscv,sv57"]);
});

test("machineTree: RAM above 4 GiB's edge is split into two cells", () => {
  const root = read({ ...description, ramSize: 0xe000_0000 });
  assert.deepEqual(cellsOf(nodeAt(root, "/memory@80000000"), "reg"), [0, 0x8000_0000, 0, 0xe000_0000]);
});

test("machineTree: both forms of the ISA list the same extensions", () => {
  const cpu = nodeAt(read(description), "/cpus/cpu@0");
  assert.deepEqual(stringsOf(cpu, "riscv,isa"), [isaString]);
  assert.deepEqual(stringsOf(cpu, "riscv,isa-extensions"), isaExtensions);
  assert.ok(isaString.startsWith("rv64imafdc_zicbom_"));
  assert.equal(new Set(isaExtensions).size, isaExtensions.length);
});

test("machineTree: every interrupt leads to a controller that exists", () => {
  const root = read(description);
  const phandles = new Map<number, RawNode>();
  const visit = (node: RawNode): void => {
    for (const phandle of cellsOf(node, "phandle") ?? []) {
      assert.ok(!phandles.has(phandle), `phandle ${phandle} is used once`);
      phandles.set(phandle, node);
    }
    node.children.forEach(visit);
  };
  visit(root);
  const plic = nodeAt(root, "/soc/plic@c000000")!;
  for (const node of nodeAt(root, "/soc")!.children) {
    const parent = cellsOf(node, "interrupt-parent");
    if (parent !== undefined) assert.equal(phandles.get(parent[0]), plic);
    const extended = cellsOf(node, "interrupts-extended") ?? [];
    for (let i = 0; i < extended.length; i += 2) {
      assert.deepEqual(stringsOf(phandles.get(extended[i])!, "compatible"), ["riscv,cpu-intc"]);
    }
  }
  assert.deepEqual(cellsOf(plic, "interrupts-extended"), [1, 11, 1, 9, 2, 11, 2, 9]);
  assert.deepEqual(cellsOf(nodeAt(root, "/soc/clint@2000000"), "interrupts-extended"), [1, 3, 1, 7, 2, 3, 2, 7]);
  assert.deepEqual(stringsOf(phandles.get(cellsOf(nodeAt(root, "/poweroff"), "regmap")![0])!, "compatible"), [
    "sifive,test1",
    "sifive,test0",
    "syscon",
  ]);
});

test("machineTree: only occupied virtio slots appear", () => {
  const names = nodeAt(read(description), "/soc")!.children.map((child) => child.name);
  assert.deepEqual(
    names.filter((name) => name.startsWith("virtio")),
    ["virtio_mmio@10001000", "virtio_mmio@10004000"],
  );
  const slot = nodeAt(read(description), "/soc/virtio_mmio@10004000");
  assert.deepEqual(cellsOf(slot, "interrupts"), [4]);
});

test("machineTree: chosen carries the command line, the initrd and the seed", () => {
  const initrd = { start: 0x8800_0000, end: 0x8800_1234 };
  const root = read({ ...description, bootArguments: "console=ttyS0", initrd });
  const chosen = nodeAt(root, "/chosen");
  assert.deepEqual(stringsOf(chosen, "bootargs"), ["console=ttyS0"]);
  assert.deepEqual(cellsOf(chosen, "linux,initrd-start"), [0, 0x8800_0000]);
  assert.deepEqual(cellsOf(chosen, "linux,initrd-end"), [0, 0x8800_1234]);
  assert.deepEqual(chosen?.properties.get("rng-seed"), seed);
  const [path] = stringsOf(chosen, "stdout-path")!;
  assert.deepEqual(stringsOf(nodeAt(root, path), "compatible"), ["ns16550a"]);
  assert.deepEqual(stringsOf(nodeAt(root, "/aliases"), "serial0"), [path]);
});

test("machineTree: chosen leaves out what was not given", () => {
  const chosen = nodeAt(read(description), "/chosen")!;
  assert.deepEqual([...chosen.properties.keys()], ["stdout-path", "rng-seed"]);
});
