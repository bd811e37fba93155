/** How many instructions a hart may run before the machine's loop looks at timers and at the other harts again. */
import type { Clock } from "./hart/clock.ts";

/** A hart on its own: about a millisecond. */
const ALONE = 100_000;
/** With others on the same thread, which may wait for what this one does. */
const SHARED = 20_000;
/** Below this the loop itself would cost more than it runs. */
const LEAST = 1000;
/** A tick of the timebase is 100 ns: translated code retires about this many instructions in it. */
const INSTRUCTIONS_PER_TICK = 20;

/** @param deadline when the hart's timer fires, in ticks, if it is set. @param shared whether other harts take turns. */
export function sliceBudget(deadline: bigint | undefined, clock: Clock, shared: boolean): number {
  const most = shared ? SHARED : ALONE;
  if (deadline === undefined) return most;
  const left = (Number(deadline) - clock.ticks()) * INSTRUCTIONS_PER_TICK;
  return Math.min(most, Math.max(LEAST, left));
}
