/**
 * A hart's registers and CSRs as saved state: by name, so that state outlives a change of the layout in memory. TLBs, caches
 * of code and the load reservation are left out. Who calls it: the machine, while no hart is in guest code.
 */
import { beginSlice } from "../hart/counters.ts";
import { HartState } from "../hart/layout.ts";
import { type HartArea, PMP_ENTRIES, Slot, Word } from "../hart/state.ts";
import { expectState, StateError } from "./state-error.ts";

const REGISTERS = 32;
const X = HartState.x / 8;
const F = HartState.f / 8;
const PC = HartState.pc / 8;
/** Bytes at the start of a hart's area that hold all that is saved. */
export const SAVED_BYTES = HartState.jumps;

/** Scratch, and what the hart's place in the machine says. */
const derived: ReadonlySet<string> = new Set(["zero", "scratch", "mhartid"]);
/** Words that are state of their own beside the CSRs. */
const words = ["floatEnabled", "floatDirty", "frm", "fflags", "waiting"] as const;

/** CSRs with their 64-bit slots, in order: one, or as many as there are registers of the kind. */
const slots: readonly { readonly name: string; readonly at: number; readonly count: number }[] = Object.entries(Slot)
  .sort(([, a], [, b]) => a - b)
  .map(([name, at], index, all) => ({ name, at: at / 2, count: ((all[index + 1]?.[1] ?? at + 2) - at) / 2 }))
  .map((slot) => (slot.name === "pmpaddr" ? { ...slot, count: PMP_ENTRIES } : slot))
  .filter(({ name }) => !derived.has(name));

export interface SavedHart {
  readonly pc: bigint;
  readonly x: readonly bigint[];
  readonly f: readonly bigint[];
  /** Values of a CSR's slots, by the slot's name. */
  readonly csrs: Readonly<Record<string, readonly bigint[]>>;
  readonly words: Readonly<Record<string, number>>;
}

/** The state of a hart between two slices. */
export function saveHart(area: HartArea): SavedHart {
  // What has retired goes to the counters.
  beginSlice(area, 0);
  const { doublewords } = area;
  const wide = (at: number, count: number): bigint[] => [...doublewords.subarray(at, at + count)];
  return {
    pc: doublewords[PC],
    x: wide(X, REGISTERS),
    f: wide(F, REGISTERS),
    csrs: Object.fromEntries(slots.map(({ name, at, count }) => [name, wide(at, count)])),
    words: Object.fromEntries(words.map((name) => [name, area.words[Word[name]]])),
  };
}

/** Errors: `StateError` if the state is not that of a hart of ours. */
export function checkHart(saved: SavedHart): void {
  if (typeof saved?.pc !== "bigint") throw new StateError("state-corrupt", "state of a hart: it has no pc");
  expectState("a hart", "number of x registers", REGISTERS, saved.x?.length);
  expectState("a hart", "number of f registers", REGISTERS, saved.f?.length);
  const names = slots.map(({ name }) => name).join();
  expectState("a hart", "CSRs", names, Object.keys(saved.csrs ?? {}).join());
  for (const { name, count } of slots) expectState("a hart", `words of ${name}`, count, saved.csrs[name].length);
  expectState("a hart", "words", words.join(), Object.keys(saved.words ?? {}).join());
}

/** Puts a hart's state into an area, of which it then is all but what is derived: see `Hart.refresh`. */
export function restoreHart({ words: area, doublewords }: HartArea, saved: SavedHart): void {
  doublewords[PC] = saved.pc;
  doublewords.set(saved.x, X);
  doublewords.set(saved.f, F);
  doublewords[X] = 0n;
  for (const { name, at } of slots) doublewords.set(saved.csrs[name], at);
  for (const name of words) area[Word[name]] = saved.words[name];
}

/**
 * Takes over what `restoreHart` has left in another area, but for pending interrupts: those are other threads' to drive.
 */
export function adoptHart({ words: to }: HartArea, { words: from }: HartArea): void {
  to.set(from.subarray(0, Slot.pending));
  to.set(from.subarray(Slot.mie, SAVED_BYTES / 4), Slot.mie);
}
