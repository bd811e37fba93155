/**
 * The device tree of a machine: its harts and memory, the platform's memory map, and what the boot loader chose.
 * Who calls it: the boot code. Property names follow the bindings that Linux, U-Boot and OpenSBI document.
 */
import { TIMEBASE_HZ } from "../hart/clock.ts";
import {
  HartInterrupt,
  type MemoryMapEntry,
  memoryMap,
  PLIC_SOURCES,
  ram,
  UART_CLOCK_HZ,
  virtioSlot,
} from "../platform/memory-map.ts";
import { Finisher } from "../platform/syscon.ts";
import { CACHE_BLOCK_BYTES, ISA_BASE, isaExtensions, isaString, MMU_TYPE } from "./isa-extensions.ts";
import { cells64, type Property, reg, type TreeNode } from "./tree.ts";

export interface MachineTree {
  readonly harts: number;
  /** Bytes of RAM. */
  readonly ramSize: number;
  /** virtio-mmio slots that hold a device. */
  readonly virtioSlots: readonly number[];
  /** The kernel's command line. */
  readonly bootArguments?: string;
  /** Physical addresses: where the initial RAM disk begins, and the first byte behind it. */
  readonly initrd?: { readonly start: number; readonly end: number };
  /** Fresh random bytes for the guest's entropy pool. */
  readonly seed: Uint8Array;
}

type Properties = Record<string, Property>;

const unit = (entry: { readonly node: string; readonly base: number }) => `${entry.node}@${entry.base.toString(16)}`;
const socPath = (entry: MemoryMapEntry) => `/soc/${unit(entry)}`;

/** Phandles: harts' interrupt controllers first, then the rest. */
const intcPhandle = (hart: number) => 1 + hart;
const plicPhandle = (tree: MachineTree) => 1 + tree.harts;
const testPhandle = (tree: MachineTree) => 2 + tree.harts;

/** For each hart, one (controller, interrupt) pair per listed interrupt. */
const hartInterrupts = (tree: MachineTree, interrupts: readonly number[]): number[] =>
  Array.from({ length: tree.harts }, (_, hart) => interrupts.flatMap((number) => [intcPhandle(hart), number])).flat();

function cpu(hart: number): TreeNode {
  return {
    name: `cpu@${hart.toString(16)}`,
    properties: {
      device_type: "cpu",
      reg: [hart],
      status: "okay",
      compatible: "riscv",
      "riscv,isa": isaString,
      "riscv,isa-base": ISA_BASE,
      "riscv,isa-extensions": isaExtensions,
      "riscv,cbom-block-size": [CACHE_BLOCK_BYTES],
      "riscv,cboz-block-size": [CACHE_BLOCK_BYTES],
      "mmu-type": MMU_TYPE,
    },
    children: [
      {
        name: "interrupt-controller",
        properties: {
          "#interrupt-cells": [1],
          "interrupt-controller": true,
          compatible: "riscv,cpu-intc",
          phandle: [intcPhandle(hart)],
        },
      },
    ],
  };
}

const cpus = (tree: MachineTree): TreeNode => ({
  name: "cpus",
  properties: { "#address-cells": [1], "#size-cells": [0], "timebase-frequency": [TIMEBASE_HZ] },
  children: Array.from({ length: tree.harts }, (_, hart) => cpu(hart)),
});

/** A node of the memory map: its registers, its name for drivers, and its interrupt at the PLIC if it has one. */
function device(tree: MachineTree, entry: MemoryMapEntry, properties: Properties = {}): TreeNode {
  const interrupt: Properties =
    entry.interrupt === undefined ? {} : { interrupts: [entry.interrupt], "interrupt-parent": [plicPhandle(tree)] };
  return {
    name: unit(entry),
    properties: { compatible: entry.compatible, reg: reg(entry.base, entry.size), ...interrupt, ...properties },
  };
}

const plic = (tree: MachineTree): TreeNode =>
  device(tree, memoryMap.plic, {
    "#address-cells": [0],
    "#interrupt-cells": [1],
    "interrupt-controller": true,
    "interrupts-extended": hartInterrupts(tree, [HartInterrupt.machineExternal, HartInterrupt.supervisorExternal]),
    "riscv,ndev": [PLIC_SOURCES],
    phandle: [plicPhandle(tree)],
  });

const clint = (tree: MachineTree): TreeNode =>
  device(tree, memoryMap.clint, {
    "interrupts-extended": hartInterrupts(tree, [HartInterrupt.machineSoftware, HartInterrupt.machineTimer]),
  });

const soc = (tree: MachineTree): TreeNode => ({
  name: "soc",
  properties: { "#address-cells": [2], "#size-cells": [2], compatible: "simple-bus", ranges: true },
  children: [
    device(tree, memoryMap.test, { phandle: [testPhandle(tree)] }),
    device(tree, memoryMap.rtc),
    device(tree, memoryMap.generation),
    clint(tree),
    plic(tree),
    device(tree, memoryMap.uart, { "clock-frequency": [UART_CLOCK_HZ] }),
    ...tree.virtioSlots.map((slot) => device(tree, virtioSlot(slot))),
  ],
});

/** A write to the test finisher that the operating system may use to end or restart the machine. */
const finisher = (tree: MachineTree, name: string, value: number): TreeNode => ({
  name,
  properties: { compatible: `syscon-${name}`, regmap: [testPhandle(tree)], offset: [0], value: [value] },
});

function chosen(tree: MachineTree): TreeNode {
  const properties: Properties = { "stdout-path": socPath(memoryMap.uart), "rng-seed": tree.seed };
  if (tree.bootArguments !== undefined) properties.bootargs = tree.bootArguments;
  if (tree.initrd !== undefined) {
    properties["linux,initrd-start"] = cells64(tree.initrd.start);
    properties["linux,initrd-end"] = cells64(tree.initrd.end);
  }
  return { name: "chosen", properties };
}

/** The whole tree, ready for `writeDeviceTree`. */
export const machineTree = (tree: MachineTree): TreeNode => ({
  name: "",
  properties: {
    "#address-cells": [2],
    "#size-cells": [2],
    compatible: "riscv-virtio",
    model: "bulkhead,virt",
  },
  children: [
    chosen(tree),
    { name: "aliases", properties: { serial0: socPath(memoryMap.uart), rtc0: socPath(memoryMap.rtc) } },
    { name: unit(ram), properties: { device_type: "memory", reg: reg(ram.base, tree.ramSize) } },
    cpus(tree),
    soc(tree),
    finisher(tree, "poweroff", Finisher.pass),
    finisher(tree, "reboot", Finisher.reset),
  ],
});
