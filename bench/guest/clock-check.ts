/** Holds a guest's clock against the host's: a guest whose clock is slow would look fast by its own account. */
import { readValues } from "./read-rows.ts";
import type { RunningGuest } from "./running-guest.ts";

/** What two clocks may differ by: reading them takes time, and the host schedules. */
const MOST_FRACTION = 0.01;
const MOST_SECONDS = 0.25;

/** Whether a guest's clock went as the host's did. */
export const clocksAgree = (guestSeconds: number, hostSeconds: number): boolean =>
  Math.abs(guestSeconds - hostSeconds) <= hostSeconds * MOST_FRACTION + MOST_SECONDS;

/** Begins a comparison. @returns ends it: undefined where the clocks agree, else a sentence. @param program `clock`. */
export async function checkClock(guest: RunningGuest, program: string): Promise<() => Promise<string | undefined>> {
  const read = async (): Promise<{ guest: number; host: number }> => {
    const { output } = await guest.run(program, 60_000);
    return { guest: readValues(output).get("clock") ?? Number.NaN, host: performance.now() / 1000 };
  };
  const begin = await read();
  return async () => {
    const end = await read();
    const [guestSeconds, hostSeconds] = [end.guest - begin.guest, end.host - begin.host];
    if (clocksAgree(guestSeconds, hostSeconds)) return undefined;
    const times = `${guestSeconds.toFixed(2)} s in the guest, ${hostSeconds.toFixed(2)} s on the host`;
    return `the clock of the guest on ${guest.emulator.name} is wrong: ${times}`;
  };
}
