/**
 * Takes samples of a running guest from another thread: what each hart does, in which process and in which function. It
 * only reads the guest's memory. Who calls it: the thread of the profiler, at every interval.
 */
import { Activity, type GuestView, type HartSnapshot } from "@bulkhead/machine";
import { KernelMemory } from "./linux/kernel-memory.ts";
import { LinuxGuest, type Process } from "./linux/linux-guest.ts";
import { unwind } from "./linux/unwind.ts";
import { type Frame, type Profile, type Tier, tiers } from "./profile.ts";
import { Recording } from "./recording.ts";
import { type Place, Stacks } from "./stacks.ts";

const tierOf: Readonly<Record<number, Tier>> = {
  [Activity.interpreter]: "interpreter",
  [Activity.translated]: "translated",
  [Activity.compile]: "compile",
  [Activity.refill]: "refill",
  [Activity.exit]: "exit",
  [Activity.device]: "device",
};

const USER = 0;
const [RA, S0] = [1, 8];
const MACHINE = 3;
/** Waits between attempts to find a kernel, in milliseconds; each reads much of the guest's memory. */
const FIRST_WAIT_MS = 50;
const WAIT_FACTOR = 2;
/** How long an unknown address of the kernel has to wait until modules are read again. */
const MODULES_WAIT_MS = 250;

const fixed = (name: string): Place => ({ key: `= ${name}`, name: () => ({ name, module: "" }) });
const IDLE = fixed("(idle)");
const TURN = fixed("(waits for its turn)");
/** Where the hart is while it waits for the translator says nothing: any jump may set that off. */
const COMPILE = fixed("(compile)");
const hex = (address: bigint): string => `0x${address.toString(16)}`;
const pageOf = (address: bigint): bigint => address & ~4095n;

export class Sampler {
  readonly #view: GuestView;
  readonly #recording: Recording;
  readonly #stacks = new Stacks();
  #linux: LinuxGuest | undefined;
  #searchAtMs = 0;
  #waitMs = FIRST_WAIT_MS;
  #modulesAtMs = 0;
  #lastMs = 0;

  constructor(view: GuestView, intervalMs: number) {
    this.#view = view;
    this.#recording = new Recording(intervalMs);
  }

  /** Takes one sample of every hart. @param nowMs since the start. */
  sample(nowMs: number): void {
    const { harts } = this.#view.image;
    this.#lastMs = nowMs;
    if (!this.#recording.begin(harts)) return;
    const snapshots = Array.from({ length: harts }, (_, hart) => this.#view.hart(hart));
    const others = this.#view.image.oneThread && snapshots.some(({ activity }) => activity !== Activity.off);
    for (const [hart, snapshot] of snapshots.entries()) {
      const resting: Tier = others && !snapshot.waiting ? "turn" : "idle";
      const tier = tierOf[snapshot.activity] ?? resting;
      const stack = tier === "idle" ? [IDLE] : tier === "turn" ? [TURN] : this.#where(hart, snapshot, nowMs);
      this.#recording.add(nowMs, hart, tiers.indexOf(tier), this.#stacks.number(stack));
    }
  }

  /** The profile; names are looked up now. */
  finish(): Profile {
    this.#linux?.finish();
    const remarks: string[] = [];
    if (this.#linux === undefined) remarks.push("no Linux kernel with a symbol table was found in the guest");
    else if (this.#linux.kernel.structures === undefined) {
      remarks.push("the guest's kernel has no type information (BTF) that suffices to tell its processes");
    }
    return {
      harts: this.#view.image.harts,
      durationMs: this.#lastMs,
      samples: this.#recording.finish(),
      ...this.#stacks.finish(),
      remarks,
    };
  }

  #where(hart: number, snapshot: HartSnapshot, nowMs: number): Place[] {
    this.#search(snapshot, nowMs);
    const process = this.#linux?.process(hart, snapshot);
    const compiles = snapshot.activity === Activity.compile;
    const own = processPlace(process, snapshot);
    if (compiles) return [own, COMPILE];
    return [own, ...this.#callers(hart, snapshot), this.#function(process, snapshot, nowMs)];
  }

  /** A kernel that runs on virtual addresses has relocated itself, so its symbols can be found. */
  #search({ privilege, pc, satp }: HartSnapshot, nowMs: number): void {
    if (privilege === MACHINE || satp >> 60n === 0n || pc >> 63n === 0n) return;
    // Early in a boot the kernel's type information may be out of reach while its symbols are not.
    if (nowMs < this.#searchAtMs || this.#linux?.kernel.structures !== undefined) return;
    this.#linux = LinuxGuest.find(this.#view, satp) ?? this.#linux;
    this.#waitMs *= WAIT_FACTOR;
    this.#searchAtMs = nowMs + this.#waitMs;
  }

  #function(process: Process | undefined, { privilege, pc, satp }: HartSnapshot, nowMs: number): Place {
    if (privilege === MACHINE) return hexPlace("firmware", pc);
    if (privilege !== USER) return this.#kernelFunction(pc, satp, nowMs);
    const area = process && this.#linux?.area(process, satp, pc);
    if (area?.file === undefined) return hexPlace(area === undefined ? "unknown" : "anonymous", pc);
    const { file, bias } = area;
    const offset = Number(pc + bias);
    return {
      key: `${file.path} ${offset}`,
      name: () => namedOr(file.function(offset), file.name, pageOf(BigInt(offset))),
    };
  }

  /** Who called the function of the kernel that a hart is in, the outermost first; programs keep no such chain. */
  #callers(hart: number, { privilege, pc, satp }: HartSnapshot): Place[] {
    const kernel = this.#linux?.kernel;
    if (kernel === undefined || privilege === USER || privilege === MACHINE) return [];
    const registers = { pc, link: this.#view.register(hart, RA), frame: this.#view.register(hart, S0) };
    const memory = new KernelMemory(this.#view, satp);
    const callers = unwind(memory, registers, (address) => kernel.function(address));
    return callers.map((address) => kernelPlace(kernel.function(address)!)).reverse();
  }

  #kernelFunction(pc: bigint, satp: bigint, nowMs: number): Place {
    const kernel = this.#linux?.kernel;
    if (kernel !== undefined && kernel.function(pc) === undefined && nowMs >= this.#modulesAtMs) {
      kernel.refreshModules(satp);
      this.#modulesAtMs = nowMs + MODULES_WAIT_MS;
    }
    const name = kernel?.function(pc);
    if (name !== undefined) return kernelPlace(name);
    return { key: `kernel ${pc}`, name: () => namedOr(this.#linux?.kernel.function(pc), "kernel", pageOf(pc)) };
  }
}

function processPlace(process: Process | undefined, { privilege, satp }: HartSnapshot): Place {
  if (process !== undefined) return fixed(process.name);
  if (privilege === MACHINE) return fixed("firmware");
  return privilege === USER ? fixed(`space ${hex(satp)}`) : fixed("kernel");
}

const kernelPlace = (name: string): Place => ({ key: `kernel ${name}`, name: () => ({ name, module: "kernel" }) });

const hexPlace = (module: string, pc: bigint): Place => ({
  key: `${module} ${pageOf(pc)}`,
  name: () => namedOr(undefined, module, pageOf(pc)),
});

/** A function, or where there is none to be found the page in square brackets. */
const namedOr = (name: string | undefined, module: string, page: bigint): Frame => ({
  name: name ?? `[${module}+${hex(page)}]`,
  module,
});
