/** Holds a guest's clock against the host's: a guest whose clock is slow would look fast by its own account. */
import { readValues } from "./read-rows.ts";
import type { RunningGuest } from "./running-guest.ts";

/** What two clocks may differ by. */
const MOST_FRACTION = 0.01;
const MOST_SECONDS = 0.05;

/** A guest's clock, read at some moment between two of the host's. All in seconds. */
export interface ClockReading {
  readonly guest: number;
  readonly hostBefore: number;
  readonly hostAfter: number;
}

/** Whether a guest's clock went as the host's did, as far as the host can tell. */
export function clocksAgree(begin: ClockReading, end: ClockReading): boolean {
  const guest = end.guest - begin.guest;
  const least = end.hostBefore - begin.hostAfter;
  const most = end.hostAfter - begin.hostBefore;
  return guest >= least * (1 - MOST_FRACTION) - MOST_SECONDS && guest <= most * (1 + MOST_FRACTION) + MOST_SECONDS;
}

/** Begins a comparison. @returns ends it: undefined where the clocks agree, else a sentence. @param program `clock`. */
export async function checkClock(guest: RunningGuest, program: string): Promise<() => Promise<string | undefined>> {
  const read = async (): Promise<ClockReading> => {
    const hostBefore = performance.now() / 1000;
    const { output } = await guest.run(program, 60_000);
    const hostAfter = performance.now() / 1000;
    return { guest: readValues(output).get("clock") ?? Number.NaN, hostBefore, hostAfter };
  };
  const begin = await read();
  return async () => {
    const end = await read();
    if (clocksAgree(begin, end)) return undefined;
    const guestSeconds = (end.guest - begin.guest).toFixed(2);
    const [least, most] = [end.hostBefore - begin.hostAfter, end.hostAfter - begin.hostBefore];
    const times = `${guestSeconds} s in the guest, ${least.toFixed(2)} to ${most.toFixed(2)} s on the host`;
    return `the clock of the guest on ${guest.emulator.name} is wrong: ${times}`;
  };
}
