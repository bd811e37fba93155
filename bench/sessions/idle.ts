/** What guests cost while they do nothing. */
import type { RunningGuest } from "../guest/running-guest.ts";
import type { Workload } from "../workloads/workload.ts";

export const idleCpu: Workload = {
  name: "idle-cpu",
  title: "CPU of one core",
  group: "idle",
  unit: "%",
  target: { must: 1, aim: 0.2 },
};

/** How long guests are watched. */
export const idleSeconds = (quick: boolean): number => (quick ? 4 : 15);

export const delay = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Processor time of guests that are left alone, watched at once, each in percent of a core. */
export async function cpuPercent(guests: readonly RunningGuest[], seconds: number): Promise<number[]> {
  const before = guests.map(({ usage }) => usage.cpuSeconds);
  const startMs = performance.now();
  await delay(seconds);
  const elapsed = (performance.now() - startMs) / 1000;
  return guests.map(({ usage }, index) => ((usage.cpuSeconds - before[index]) / elapsed) * 100);
}
