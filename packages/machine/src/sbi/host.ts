/**
 * What SBI needs of the machine below it. The machine implements both interfaces; no extension sees more of a hart
 * than this.
 */
import type { GuestMemory } from "../memory.ts";
import type { FirmwareEvents } from "./firmware-events.ts";
import type { HartStates } from "./hart-states.ts";
import type { PerformanceCounters } from "./performance-counters.ts";

export interface SbiHart {
  /** CSR access with the rights of M-mode. */
  readCsr(number: number): bigint;
  writeCsr(number: number, value: bigint): void;
  /** Sets or clears a bit of `mip`. */
  setPending(bit: number, level: boolean): void;
  /** FENCE.I on this hart, before its next instruction; a hart on another thread is only asked, see `SbiHost.fenced`. */
  fenceInstructions(): void;
  /** SFENCE.VMA on this hart for one page or every address, and for one ASID or all; the same holds. */
  fenceAddresses(address: bigint | undefined, asid: bigint | undefined): void;
  /** Doubleword at a virtual address as S-mode sees it; undefined with the fault recorded in the hart's state. */
  loadVirtual(address: bigint): bigint | undefined;
}

/** The byte stream behind the debug console and the legacy console calls. */
export interface SbiConsole {
  /** Takes bytes for output, all or the first few, and tells how many. */
  write(bytes: Uint8Array): number;
  /** At most `limit` input bytes; empty if there are none. Never waits. */
  read(limit: number): Uint8Array;
}

/** Why and how the guest ends a run. `failed` is its own word that something went wrong. */
export interface SystemReset {
  readonly type: "shutdown" | "reboot";
  readonly failed: boolean;
}

export interface SbiHost {
  readonly memory: GuestMemory;
  readonly harts: readonly SbiHart[];
  readonly states: HartStates;
  readonly events: FirmwareEvents;
  readonly counters: PerformanceCounters;
  readonly console: SbiConsole;
  /** A hart was asked to start. */
  started?(hart: number): void;
  /** Waits until harts on other threads have done the fences that they were asked for. */
  fenced?(harts: readonly number[]): void;
  reset(reset: SystemReset): void;
}

/** One call: the calling hart's number, the function in `a6`, and `a0`–`a5` as unsigned 64-bit values. */
export interface SbiCall {
  readonly hart: number;
  readonly function: number;
  readonly arguments: readonly bigint[];
}
