/**
 * The counters `mcycle` and `minstret`: a base in their slots plus what the current slice has retired; one cycle per
 * instruction. @spec privileged "Hardware Performance Monitor", "Machine Counter-Inhibit (mcountinhibit) Register"
 */
import { type HartArea, Slot, Word } from "./state.ts";

/** Bits of `mcountinhibit`. */
const CYCLE = 1;
const INSTRET = 4;

const inhibitBit = (slot: number): number => (slot === Slot.mcycle ? CYCLE : INSTRET);
const inhibited = (words: Int32Array, slot: number): boolean => (words[Slot.mcountinhibit] & inhibitBit(slot)) !== 0;

/** Instructions that the current slice has retired before the one that calls out. */
const retired = (words: Int32Array): number => words[Word.budgetStart] - words[Word.budget];

export function readCounter({ words, doublewords }: HartArea, slot: number): bigint {
  const base = doublewords[slot / 2];
  return inhibited(words, slot) ? base : base + BigInt(retired(words));
}

/** Writes a counter so that the next instruction reads `value`: the write takes the place of its own increment. */
export function writeCounter({ words, doublewords }: HartArea, slot: number, value: bigint): void {
  doublewords[slot / 2] = inhibited(words, slot) ? value : value - BigInt(retired(words) + 1);
}

/** Changes `mcountinhibit`, freezing and thawing the counters at what they show. */
export function inhibitCounters(area: HartArea, bits: number): void {
  const cycle = readCounter(area, Slot.mcycle);
  const instret = readCounter(area, Slot.minstret);
  area.words[Slot.mcountinhibit] = bits & (CYCLE | INSTRET);
  const running = BigInt(retired(area.words));
  area.doublewords[Slot.mcycle / 2] = inhibited(area.words, Slot.mcycle) ? cycle : cycle - running;
  area.doublewords[Slot.minstret / 2] = inhibited(area.words, Slot.minstret) ? instret : instret - running;
}

/** Starts a slice of `budget` instructions: adds what the last one retired to the bases. */
export function beginSlice(area: HartArea, budget: number): void {
  const { words, doublewords } = area;
  doublewords[Slot.mcycle / 2] = readCounter(area, Slot.mcycle);
  doublewords[Slot.minstret / 2] = readCounter(area, Slot.minstret);
  words[Word.budget] = budget;
  words[Word.budgetStart] = budget;
}
