/**
 * Where the machine's devices are: addresses, sizes, interrupts and names as on QEMU's `virt` machine.
 * Bus attachment and the device tree are both derived from this one declaration.
 */
import { RAM_BASE } from "../memory.ts";

/** One device's registers. `interrupt` is a PLIC source; `compatible` is the device-tree property, most specific first. */
export interface MemoryMapEntry {
  /** Name of the node in the device tree, without its unit address. */
  readonly node: string;
  readonly base: number;
  /** Bytes. */
  readonly size: number;
  readonly interrupt?: number;
  readonly compatible: readonly string[];
}

export const memoryMap = {
  test: { node: "test", base: 0x10_0000, size: 0x1000, compatible: ["sifive,test1", "sifive,test0", "syscon"] },
  rtc: { node: "rtc", base: 0x10_1000, size: 0x1000, interrupt: 11, compatible: ["google,goldfish-rtc"] },
  generation: { node: "vmgenid", base: 0x10_2000, size: 0x1000, interrupt: 12, compatible: ["microsoft,vmgenid"] },
  clint: { node: "clint", base: 0x200_0000, size: 0x1_0000, compatible: ["sifive,clint0", "riscv,clint0"] },
  plic: { node: "plic", base: 0xc00_0000, size: 0x60_0000, compatible: ["sifive,plic-1.0.0", "riscv,plic0"] },
  uart: { node: "serial", base: 0x1000_0000, size: 0x100, interrupt: 10, compatible: ["ns16550a"] },
} as const satisfies Record<string, MemoryMapEntry>;

/** Number of virtio-mmio slots; the first eight are QEMU's. */
export const VIRTIO_SLOTS = 24;
/** Slots whose interrupts lie below those of other devices; the others' begin further up. */
const FIRST_SLOTS = 8;
const LATER_INTERRUPTS = 32;

/** The virtio-mmio slot `index`, 0 to `VIRTIO_SLOTS` - 1: its registers and its interrupt. */
export function virtioSlot(index: number): MemoryMapEntry & { readonly interrupt: number } {
  const base = 0x1000_1000 + index * 0x1000;
  const interrupt = index < FIRST_SLOTS ? index + 1 : LATER_INTERRUPTS + index - FIRST_SLOTS;
  return { node: "virtio_mmio", base, size: 0x1000, interrupt, compatible: ["virtio,mmio"] };
}

/** Highest interrupt source of the PLIC (`riscv,ndev`); source 0 does not exist. */
export const PLIC_SOURCES = 95;
/** Input clock of the UART in Hz (`clock-frequency`). */
export const UART_CLOCK_HZ = 3_686_400;
/** Interrupts of a hart, as bits of `mip`, that the CLINT and the PLIC drive. */
export const HartInterrupt = {
  machineSoftware: 3,
  machineTimer: 7,
  supervisorExternal: 9,
  machineExternal: 11,
} as const;

export const ram = { node: "memory", base: RAM_BASE } as const;
