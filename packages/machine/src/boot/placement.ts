/**
 * Where kernel, initial RAM disk and device tree go in RAM.
 *
 *   direct     Image at its text offset … initrd, device tree at the top of RAM (or of its first GiB)
 *   firmware   firmware at the start of RAM, next stage at +2 MiB, initrd behind it, device tree at the top
 */
import { RAM_BASE } from "../memory.ts";
import { BootError, sizeText } from "./boot-error.ts";
import type { ImageHeader } from "./image.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const PAGE = 4096;

/** Where QEMU's `virt` puts what firmware starts: OpenSBI and U-Boot are built for it. */
export const NEXT_STAGE = RAM_BASE + 2 * MIB;
/** Device trees stay below this address: some firmware handles only 32-bit pointers. */
const DEVICE_TREE_LIMIT = 0xc000_0000;
const DEVICE_TREE_ALIGNMENT = 2 * MIB;
/** Room for the tree with what firmware adds to it. */
export const DEVICE_TREE_SPACE = 64 * KIB;
/** A kernel that has less than this for itself dies before it can say why. */
const WORKING_MEMORY = 16 * MIB;
/** Distance between the next stage and the initrd, at most: as on QEMU, so that a kernel can unpack itself. */
const INITRD_DISTANCE = 128 * MIB;

const alignDown = (value: number, alignment: number) => Math.floor(value / alignment) * alignment;
const alignUp = (value: number, alignment: number) => Math.ceil(value / alignment) * alignment;

export interface Extent {
  readonly start: number;
  /** First byte behind it. */
  readonly end: number;
}

export interface Placement {
  /** Where the kernel or next stage goes; undefined if there is none. */
  readonly kernel?: number;
  readonly initrd?: Extent;
  readonly deviceTree: number;
}

/** The top of RAM as far as the device tree is concerned: its address. */
function placeTree(ramSize: number): { deviceTree: number } {
  const top = Math.min(RAM_BASE + ramSize, DEVICE_TREE_LIMIT);
  const deviceTree = alignDown(top - DEVICE_TREE_SPACE, DEVICE_TREE_ALIGNMENT);
  if (deviceTree <= RAM_BASE) throw new BootError("memory-too-small", `${sizeText(ramSize)} of memory is too little`);
  return { deviceTree };
}

/** Placement for a kernel that is entered directly. @throws BootError `memory-too-small` or `initrd-too-large`. */
export function placeDirect(ramSize: number, image: ImageHeader, initrdLength: number): Placement {
  const tree = placeTree(ramSize);
  const kernel = RAM_BASE + image.textOffset;
  const kernelEnd = alignUp(kernel + image.size, PAGE);
  if (kernelEnd + WORKING_MEMORY > tree.deviceTree) {
    const needed = sizeText(image.textOffset + image.size + WORKING_MEMORY + DEVICE_TREE_ALIGNMENT);
    throw new BootError("memory-too-small", `the kernel needs at least ${needed} of memory, not ${sizeText(ramSize)}`);
  }
  if (initrdLength === 0) return { kernel, ...tree };
  const start = alignDown(tree.deviceTree - initrdLength, PAGE);
  checkInitrd(kernelEnd + WORKING_MEMORY, start, initrdLength, tree.deviceTree);
  return { kernel, initrd: { start, end: start + initrdLength }, ...tree };
}

/**
 * Placement behind firmware. @param firmwareEnd first byte behind the firmware. @param kernel what the next stage
 * occupies, if there is one. @throws BootError `memory-too-small` or `initrd-too-large`.
 */
export function placeFirmware(
  ramSize: number,
  firmwareEnd: number,
  kernel: Extent | undefined,
  initrdLength: number,
): Placement {
  const tree = placeTree(ramSize);
  const end = Math.max(firmwareEnd, kernel?.end ?? 0);
  if (end > tree.deviceTree) {
    const needed = sizeText(end - RAM_BASE + DEVICE_TREE_ALIGNMENT);
    throw new BootError("memory-too-small", `firmware and kernel need ${needed} of memory, not ${sizeText(ramSize)}`);
  }
  const found = { kernel: kernel?.start, ...tree };
  if (initrdLength === 0) return found;
  const start = Math.max((kernel?.start ?? NEXT_STAGE) + Math.min(ramSize / 2, INITRD_DISTANCE), alignUp(end, PAGE));
  checkInitrd(start, tree.deviceTree - initrdLength, initrdLength, tree.deviceTree);
  return { ...found, initrd: { start, end: start + initrdLength } };
}

/** Refuses an initrd whose lowest possible address lies above the highest one. */
function checkInitrd(lowest: number, highest: number, length: number, limit: number): void {
  if (lowest <= highest) return;
  const room = sizeText(Math.max(0, limit - lowest));
  throw new BootError("initrd-too-large", `the initrd has ${sizeText(length)}, but memory leaves only ${room} for it`);
}
