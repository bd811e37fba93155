/**
 * Which interrupts are pending, and which one a hart takes now.
 * @spec privileged "Machine Interrupt (mip and mie) Registers", "Supervisor Timer (stimecmp) Register"
 */
import { Interrupt } from "./cause.ts";
import type { Clock } from "./clock.ts";
import { Privilege, Slot } from "./state.ts";
import { EnvcfgHigh, Status } from "./status.ts";

const STIP = 1 << Interrupt.supervisorTimer;
/** Bits of `mip` that software can write in some mode; setting them from outside does the same. */
const SOFTWARE_BITS = (1 << Interrupt.supervisorSoftware) | STIP;
/** Bits of the two halves of a deadline that no timer ever reaches count as none. */
const NEVER = 2 ** 63;

const stimecmpEnabled = (words: Int32Array): boolean => (words[Slot.menvcfg + 1] & EnvcfgHigh.STCE) !== 0;

/** What `mip` reads. With `stimecmp` in force, STIP is its comparison and nothing else. */
export function pendingInterrupts(words: Int32Array): number {
  const software = words[Slot.pending];
  return (stimecmpEnabled(words) ? software & ~STIP : software) | words[Slot.lines];
}

/** Number of the interrupt that the hart takes now, or -1. */
export function deliverableInterrupt(words: Int32Array): number {
  const ready = pendingInterrupts(words) & words[Slot.mie];
  if (ready === 0) return -1;
  const privilege = words[Slot.privilege];
  const status = words[Slot.mstatus];
  const delegated = words[Slot.mideleg];
  const machine = ready & ~delegated;
  if (machine !== 0 && (privilege < Privilege.machine || (status & Status.MIE) !== 0)) return highest(machine);
  const supervisor = ready & delegated;
  const open = privilege < Privilege.supervisor || (privilege === Privilege.supervisor && (status & Status.SIE) !== 0);
  return supervisor !== 0 && open ? highest(supervisor) : -1;
}

/**
 * Sets or clears a bit of `mip` from outside: an interrupt controller, a timer, another hart. True if that changed it.
 * Several threads drive bits of these words, so whoever changes one does it atomically.
 */
export function setPending(words: Int32Array, bit: number, level: boolean): boolean {
  const at = ((1 << bit) & SOFTWARE_BITS) !== 0 ? Slot.pending : Slot.lines;
  return drive(words, at, 1 << bit, level);
}

/** Compares `stimecmp` with the clock and drives STIP. */
export function updateTimer(words: Int32Array, clock: Clock): void {
  drive(words, Slot.lines, STIP, stimecmpEnabled(words) && clock.ticks() >= stimecmp(words));
}

function drive(words: Int32Array, at: number, bits: number, level: boolean): boolean {
  if ((Atomics.load(words, at) & bits) === (level ? bits : 0)) return false;
  const before = level ? Atomics.or(words, at, bits) : Atomics.and(words, at, ~bits);
  return (before & bits) !== (level ? bits : 0);
}

/** When `stimecmp` will next raise an enabled interrupt, in ticks; undefined if it will not, or already has. */
export function timerDeadline(words: Int32Array): bigint | undefined {
  if (!stimecmpEnabled(words) || (words[Slot.mie] & STIP) === 0 || (words[Slot.lines] & STIP) !== 0) return undefined;
  const deadline = stimecmp(words);
  return deadline >= NEVER ? undefined : BigInt(deadline);
}

/** Exact up to 2^53 ticks, which is 28 years; beyond that it only has to stay large. */
function stimecmp(words: Int32Array): number {
  return (words[Slot.stimecmp + 1] >>> 0) * 0x1_0000_0000 + (words[Slot.stimecmp] >>> 0);
}

/** The order that the specification gives: external, software, timer; machine before supervisor. */
function highest(ready: number): number {
  if ((ready & (1 << Interrupt.machineExternal)) !== 0) return Interrupt.machineExternal;
  if ((ready & (1 << Interrupt.machineSoftware)) !== 0) return Interrupt.machineSoftware;
  if ((ready & (1 << Interrupt.machineTimer)) !== 0) return Interrupt.machineTimer;
  if ((ready & (1 << Interrupt.supervisorExternal)) !== 0) return Interrupt.supervisorExternal;
  if ((ready & (1 << Interrupt.supervisorSoftware)) !== 0) return Interrupt.supervisorSoftware;
  return Interrupt.supervisorTimer;
}
