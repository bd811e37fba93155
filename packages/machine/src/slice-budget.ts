/** How many instructions a hart may run before the machine's loop looks at timers and at the other harts again. */
import type { Clock } from "./hart/clock.ts";

/** Instructions at most, by what else waits for the hart's thread. */
export const SliceLength = {
  /** Nothing: about a millisecond. */
  alone: 100_000,
  /** Harts on the same thread, which may wait for what this one does. */
  turns: 20_000,
  /** Devices for whom something may come any moment, which only is looked for between slices. */
  short: 20_000,
  /** Harts on other threads, which send interrupts and now and then fences. */
  threads: 50_000,
  /** Harts on other threads that are using devices or sending fences right now, and wait for the answers. */
  hurried: 3000,
} as const;

/** Below this the loop itself would cost more than it runs. */
const LEAST = 1000;
/** A tick of the timebase is 100 ns: translated code retires about this many instructions in it. */
const INSTRUCTIONS_PER_TICK = 20;

/** @param deadline when the hart's timer fires, in ticks, if it is set. @param most one of `SliceLength`. */
export function sliceBudget(deadline: bigint | undefined, clock: Clock, most: number): number {
  if (deadline === undefined) return most;
  const left = (Number(deadline) - clock.ticks()) * INSTRUCTIONS_PER_TICK;
  return Math.min(most, Math.max(LEAST, left));
}
