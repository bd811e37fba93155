/** A hart with some RAM, a device that records what reaches it, and a clock that stands: what the tests start from. */
import { type SystemOperation, systemOperations } from "@bulkhead/isa";
import { Bus, type MmioDevice } from "../../bus.ts";
import { GuestMemory, RAM_BASE } from "../../memory.ts";
import { ManualClock } from "../clock.ts";
import { Hart } from "../hart.ts";
import { HartState, Signal } from "../layout.ts";
import { Slot, Word } from "../state.ts";

export const DEVICE_BASE = 0x1000_0000;
export const RAM_SIZE = 0x40_0000;

export interface DeviceAccess {
  readonly offset: number;
  readonly bytes: number;
  readonly value?: number;
}

export class Recorder implements MmioDevice {
  readonly accesses: DeviceAccess[] = [];

  read(offset: number, bytes: number): number {
    this.accesses.push({ offset, bytes });
    return 0xa5a5_a500 + offset;
  }

  write(offset: number, bytes: number, value: number): void {
    this.accesses.push({ offset, bytes, value });
  }
}

export interface Sample {
  readonly hart: Hart;
  readonly memory: GuestMemory;
  readonly bus: Bus;
  readonly device: Recorder;
  readonly clock: ManualClock;
}

export function sample(start: "machine" | "supervisor" = "machine"): Sample {
  const memory = new GuestMemory(RAM_SIZE, 1);
  const bus = new Bus();
  const device = new Recorder();
  const clock = new ManualClock();
  bus.attach(DEVICE_BASE, 0x1000, device);
  const hart = new Hart({ memory, bus, clock, index: 0, start });
  return { hart, memory, bus, device, clock };
}

/** Puts the hart into a mode as a return from a trap would. */
export function enterMode(hart: Hart, privilege: number): void {
  hart.words[Slot.privilege] = privilege;
  hart.selectSpaces();
}

export interface Outcome {
  readonly signal: number;
  /** Cause and value of the exception, if one was signalled. */
  readonly cause?: number;
  readonly value?: bigint;
}

/** Takes the signal that the last call-out left. */
export function outcome(hart: Hart): Outcome {
  const signal = hart.takeSignal();
  if (signal !== Signal.exception) return { signal };
  const value = BigInt.asUintN(64, hart.doublewords[HartState.exceptionValue / 8]);
  return { signal, cause: hart.words[Word.cause], value };
}

export function system(hart: Hart, operation: SystemOperation, a = 0n, b = 0n): Outcome {
  hart.system(systemOperations.indexOf(operation), a, b);
  return outcome(hart);
}

/** Writes a doubleword into RAM. */
export function poke(memory: GuestMemory, address: number, value: bigint): void {
  memory.view.setBigUint64(memory.offsetOf(address, 8), BigInt.asUintN(64, value), true);
}

export function peek(memory: GuestMemory, address: number): bigint {
  return memory.view.getBigUint64(memory.offsetOf(address, 8), true);
}

/** Permission and state bits of a page-table entry. */
export const Pte = { V: 1n, R: 2n, W: 4n, X: 8n, U: 16n, G: 32n, A: 64n, D: 128n, N: 1n << 63n } as const;

/** A leaf or pointer entry for a physical address. */
export const entryFor = (physical: number, bits: bigint): bigint => ((BigInt(physical) >> 12n) << 10n) | bits | Pte.V;

/** `satp` for a root table: mode 8, 9 or 10 for Sv39, Sv48 or Sv57. */
export const satpFor = (mode: number, asid: number, root: number): bigint =>
  (BigInt(mode) << 60n) | (BigInt(asid) << 44n) | (BigInt(root) >> 12n);

/** Addresses in RAM that the tests use as page tables. */
export const table = (n: number): number => RAM_BASE + 0x10_0000 + n * 0x1000;
