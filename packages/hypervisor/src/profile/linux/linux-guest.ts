/**
 * Says which process of a Linux guest a hart runs, and which function of which file lies at an address. Looks into the
 * kernel's own structures from outside while it runs, so every answer may also be "unknown".
 */
import { type GuestView, type HartSnapshot, RAM_BASE } from "@bulkhead/machine";
import { LinuxKernel } from "./kernel.ts";
import { KernelMemory } from "./kernel-memory.ts";
import { mapleFind } from "./maple-tree.ts";
import { MappedFile } from "./mapped-file.ts";
import type { Structures } from "./structures.ts";

export interface Process {
  /** What the kernel calls its current thread. */
  readonly name: string;
  readonly id: number;
  /** `struct mm_struct`, 0 for threads of the kernel. */
  readonly memory: bigint;
  /** Different for every process and every program that one starts. */
  readonly key: string;
}

/** A part of a process's address space: of a file, or of no file. */
export interface Area {
  readonly file: MappedFile | undefined;
  /** What turns a virtual address into an offset in the file. */
  readonly bias: bigint;
}

const NAME_BYTES = 16;
const MOST_PATH_PARTS = 64;
const MOST_PART = 256;
const PAGE_BITS = 12n;
/** Linux keeps the thread that runs in `tp`, and in user mode in `sscratch`. */
const TP = 4;
const USER = 0;
const HIGHEST_PID = 1 << 22;

export class LinuxGuest {
  readonly kernel: LinuxKernel;
  readonly #view: GuestView;
  readonly #layout: Structures | undefined;
  readonly #files = new Map<string, MappedFile>();
  readonly #areas = new Map<string, Area>();
  #satp: bigint;

  /** Undefined while no kernel with symbols is in memory. */
  static find(view: GuestView, satp: bigint): LinuxGuest | undefined {
    const kernel = LinuxKernel.find(view, satp);
    return kernel && new LinuxGuest(view, kernel, satp);
  }

  /** For `find` only. */
  constructor(view: GuestView, kernel: LinuxKernel, satp: bigint) {
    this.#view = view;
    this.kernel = kernel;
    this.#layout = kernel.structures;
    this.#satp = satp;
    kernel.refreshModules(satp);
  }

  /** The process that a hart runs, if the kernel says so. */
  process(hart: number, { privilege, sscratch, satp }: HartSnapshot): Process | undefined {
    const layout = this.#layout;
    if (layout === undefined) return undefined;
    const task = privilege === USER ? sscratch : this.#view.register(hart, TP);
    const memory = new KernelMemory(this.#view, satp);
    if (task >> 63n === 0n || memory.offset(task) === undefined) return undefined;
    const name = memory.text(task + layout.taskName, NAME_BYTES);
    const id = memory.word(task + layout.taskGroup);
    if (name === undefined || !/^[\x20-\x7e]+$/.test(name) || id > HIGHEST_PID) return undefined;
    this.#satp = satp;
    const space = memory.pointer(task + layout.taskMemory);
    const start = memory.pointer(task + layout.taskStart);
    return { name, id, memory: space, key: `${id} ${start} ${space}` };
  }

  /** What lies at an address of a process; undefined if the kernel knows of nothing there. */
  area(process: Process, satp: bigint, address: bigint): Area | undefined {
    const key = `${process.key} ${address >> PAGE_BITS}`;
    let area = this.#areas.get(key);
    if (area === undefined) {
      area = this.#readArea(process, satp, address);
      if (area !== undefined) this.#areas.set(key, area);
    }
    return area;
  }

  /** Reads again what may have come into reach, for names that are still missing. The guest may have stopped. */
  finish(): void {
    const memory = new KernelMemory(this.#view, this.#satp);
    for (const file of this.#files.values()) file.relearn(memory);
  }

  #readArea(process: Process, satp: bigint, address: bigint): Area | undefined {
    const layout = this.#layout;
    if (layout === undefined || process.memory === 0n) return undefined;
    const memory = new KernelMemory(this.#view, satp);
    const area = mapleFind(memory, layout, process.memory + layout.areas, address);
    if (area === 0n) return undefined;
    const start = memory.pointer(area + layout.areaStart);
    const end = memory.pointer(area + layout.areaEnd);
    if (address < start || address >= end) return undefined;
    const bias = (memory.pointer(area + layout.areaPage) << PAGE_BITS) - start;
    const opened = memory.pointer(area + layout.areaFile);
    if (opened === 0n) return { file: undefined, bias };
    const file = this.#file(memory, layout, opened);
    const found = this.#view.translate(satp, address);
    if (file !== undefined && found !== undefined) {
      const physical = BigInt(found.offset - this.#view.image.ramOffset + RAM_BASE) >> PAGE_BITS;
      file.learn(memory, (address + bias) >> PAGE_BITS, physical);
    }
    return { file, bias };
  }

  #file(memory: KernelMemory, layout: Structures, opened: bigint): MappedFile | undefined {
    const inode = memory.pointer(opened + layout.fileInode);
    const path = pathOf(memory, layout, memory.pointer(opened + layout.fileEntry));
    if (inode === 0n || path === undefined) return undefined;
    const key = `${inode} ${path}`;
    let file = this.#files.get(key);
    if (file === undefined) {
      file = new MappedFile(layout, inode, path);
      this.#files.set(key, file);
    }
    return file;
  }
}

/** Path of a `struct dentry` within its file system. */
function pathOf(memory: KernelMemory, layout: Structures, entry: bigint): string | undefined {
  const parts: string[] = [];
  for (let at = entry, i = 0; i < MOST_PATH_PARTS; i++) {
    const parent = memory.pointer(at + layout.entryParent);
    if (parent === 0n) return undefined;
    if (parent === at) break;
    const name = memory.text(memory.pointer(at + layout.entryName), MOST_PART);
    if (name === undefined || name === "") return undefined;
    parts.unshift(name);
    at = parent;
  }
  return `/${parts.join("/")}`;
}
