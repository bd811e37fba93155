/**
 * Puts everything that a guest starts from into its RAM: kernel or firmware, initrd, device tree. Who calls it: the
 * machine, when it is created and again on each reboot.
 */
import { type MachineTree, machineTree } from "../device-tree/machine-tree.ts";
import { writeDeviceTree } from "../device-tree/write.ts";
import { type GuestMemory, RAM_BASE } from "../memory.ts";
import { ROM } from "../platform/rom.ts";
import { BootError, sizeText } from "./boot-error.ts";
import { isElf, loadElf } from "./elf.ts";
import { fwDynamicInfo } from "./fw-dynamic-info.ts";
import { isGzip, isImage, readImageHeader } from "./image.ts";
import { DEVICE_TREE_SPACE, type Extent, NEXT_STAGE, type Placement, placeDirect, placeFirmware } from "./placement.ts";

interface Attachments {
  readonly initrd?: Uint8Array;
  /** The kernel's command line. */
  readonly bootArguments?: string;
}

/** A Linux `Image`, entered in S-mode with the hypervisor as its firmware. */
export interface DirectBoot extends Attachments {
  readonly kernel: Uint8Array;
  readonly firmware?: undefined;
}

/** M-mode firmware, raw or ELF; the kernel is its next stage: an `Image`, U-Boot or the like, raw or ELF. */
export interface FirmwareBoot extends Attachments {
  readonly firmware: Uint8Array;
  readonly kernel?: Uint8Array;
}

export type BootDescription = DirectBoot | FirmwareBoot;

/** How the harts begin. Addresses are physical. */
export interface BootEntry {
  readonly mode: "supervisor" | "machine";
  readonly address: number;
  /** Goes to `a1`. */
  readonly deviceTree: number;
  /** `struct fw_dynamic_info`, goes to `a2`; 0 for a direct boot. */
  readonly nextStage: number;
}

/** What a boot has put in place beside RAM. */
export interface Loaded extends BootEntry {
  /** What the ROM holds: `struct fw_dynamic_info`, or nothing. */
  readonly rom: Uint8Array;
}

/** The machine as the device tree shows it; the boot description gives the rest. */
export type BootHardware = Pick<MachineTree, "harts" | "virtioSlots" | "seed">;

/** Fills RAM for a boot. @throws BootError when a file is wrong or memory does not suffice. */
export function loadBoot(memory: GuestMemory, boot: BootDescription, hardware: BootHardware): Loaded {
  return boot.firmware === undefined ? loadDirect(memory, boot, hardware) : loadFirmware(memory, boot, hardware);
}

function loadDirect(memory: GuestMemory, boot: DirectBoot, hardware: BootHardware): Loaded {
  const header = readImageHeader(boot.kernel);
  const placement = placeDirect(memory.ramSize, header, boot.initrd?.length ?? 0);
  const address = RAM_BASE + header.textOffset;
  copy(memory, address, boot.kernel);
  finish(memory, boot, hardware, placement);
  return { mode: "supervisor", address, deviceTree: placement.deviceTree, nextStage: 0, rom: new Uint8Array(0) };
}

function loadFirmware(memory: GuestMemory, boot: FirmwareBoot, hardware: BootHardware): Loaded {
  const firmware = loadProgram(memory, boot.firmware, RAM_BASE, "firmware");
  const kernel = boot.kernel && loadProgram(memory, boot.kernel, NEXT_STAGE, "kernel");
  if (kernel && kernel.start < firmware.end && firmware.start < kernel.end) {
    throw new BootError("out-of-place", "the firmware and the kernel are linked for the same memory");
  }
  const placement = placeFirmware(memory.ramSize, firmware.end, kernel, boot.initrd?.length ?? 0);
  finish(memory, boot, hardware, placement);
  const { deviceTree } = placement;
  const rom = fwDynamicInfo(kernel?.entry ?? 0);
  return { mode: "machine", address: firmware.entry, deviceTree, nextStage: ROM.base, rom };
}

/** Loads an ELF file where it wants to be, anything else at `address`. */
function loadProgram(memory: GuestMemory, file: Uint8Array, address: number, what: string): Extent & { entry: number } {
  if (isElf(file)) return loadElf(memory, file, what);
  if (isGzip(file)) throw new BootError("compressed-image", `the ${what} is compressed with gzip; unpack it first`);
  if (file.length === 0) throw new BootError("truncated", `the ${what} is an empty file`);
  const size = isImage(file) ? readImageHeader(file).size : file.length;
  const start = address - RAM_BASE;
  if (start + size > memory.ramSize) {
    const needed = sizeText(start + size);
    throw new BootError("memory-too-small", `the ${what} needs ${needed} of memory, not ${sizeText(memory.ramSize)}`);
  }
  copy(memory, address, file);
  return { entry: address, start: address, end: address + size };
}

/** Writes what every boot has: the initrd and the device tree. */
function finish(memory: GuestMemory, boot: BootDescription, hardware: BootHardware, placement: Placement): void {
  const { initrd } = placement;
  if (boot.initrd && initrd) copy(memory, initrd.start, boot.initrd);
  const { bootArguments } = boot;
  const tree = writeDeviceTree(machineTree({ ...hardware, ramSize: memory.ramSize, bootArguments, initrd }));
  if (tree.length > DEVICE_TREE_SPACE) {
    throw new BootError("command-line-too-long", "the command line is too long for the device tree");
  }
  copy(memory, placement.deviceTree, tree);
}

/** Copies to addresses that the placement has checked to be RAM. */
function copy(memory: GuestMemory, address: number, bytes: Uint8Array): void {
  memory.writable(address, bytes.length)!.set(bytes);
}
