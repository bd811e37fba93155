/** An SBI host whose harts only note what is asked of them. Who calls it: tests of the extensions. */
import { GuestMemory } from "../memory.ts";
import { answer, extensions } from "./dispatch.ts";
import { FirmwareEvents } from "./firmware-events.ts";
import { HartStates } from "./hart-states.ts";
import type { SbiConsole, SbiHart, SbiHost, SystemReset } from "./host.ts";
import { PerformanceCounters } from "./performance-counters.ts";

export class SampleHart implements SbiHart {
  readonly csrs = new Map<number, bigint>();
  readonly log: string[] = [];
  /** Doublewords by virtual address; anything else faults. */
  readonly virtual = new Map<bigint, bigint>();

  readCsr(number: number): bigint {
    return this.csrs.get(number) ?? 0n;
  }
  writeCsr(number: number, value: bigint): void {
    this.csrs.set(number, value);
  }
  setPending(bit: number, level: boolean): void {
    const old = this.readCsr(0x344);
    this.writeCsr(0x344, level ? old | (1n << BigInt(bit)) : old & ~(1n << BigInt(bit)));
  }
  fenceInstructions(): void {
    this.log.push("fence.i");
  }
  fenceAddresses(address: bigint | undefined, asid: bigint | undefined): void {
    this.log.push(`sfence ${address === undefined ? "all" : `0x${address.toString(16)}`} ${asid ?? "all"}`);
  }
  loadVirtual(address: bigint): bigint | undefined {
    return this.virtual.get(address);
  }
}

export class SampleConsole implements SbiConsole {
  output = "";
  input: number[] = [];
  /** Most bytes that a write takes. */
  room = Number.POSITIVE_INFINITY;

  write(bytes: Uint8Array): number {
    const taken = bytes.subarray(0, Math.min(bytes.length, this.room));
    this.output += new TextDecoder().decode(taken);
    return taken.length;
  }
  read(limit: number): Uint8Array {
    return Uint8Array.from(this.input.splice(0, limit));
  }
}

export interface SampleHost extends SbiHost {
  readonly harts: readonly SampleHart[];
  readonly console: SampleConsole;
  readonly resets: SystemReset[];
}

/** A host of `count` harts, all started, with 1 MiB of RAM. */
export function sampleHost(count = 2): SampleHost {
  const harts = Array.from({ length: count }, () => new SampleHart());
  const states = new HartStates(count);
  for (let hart = 0; hart < count; hart++) states.resume(hart);
  const events = new FirmwareEvents(count);
  const resets: SystemReset[] = [];
  return {
    memory: new GuestMemory(1024 * 1024, count),
    harts,
    states,
    events,
    counters: new PerformanceCounters(harts, events),
    console: new SampleConsole(),
    resets,
    reset: (reset) => resets.push(reset),
  };
}

/** EID of an extension by its name. */
export function eid(name: string): bigint {
  for (const [id, extension] of extensions) if (extension.name === name) return id;
  throw new Error(`no extension ${name}`);
}

/** Calls a function from hart 0 as `[error, value]`, or "left". Missing arguments are 0. */
export function call(host: SampleHost, name: string, fid: number, ...args: bigint[]): [bigint, bigint?] | "left" {
  const all = Array.from({ length: 6 }, (_, index) => BigInt.asUintN(64, args[index] ?? 0n));
  const result = answer(host, 0, eid(name), BigInt(fid), all);
  return result === "left" ? "left" : [result.error, result.value];
}
