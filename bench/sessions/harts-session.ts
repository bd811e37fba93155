/** A parallel job on one hart and on two: how much the second one brings. */
import type { GuestDescription } from "../emulators/emulator.ts";
import { readRow } from "../guest/read-rows.ts";
import type { Workload } from "../workloads/workload.ts";
import { limitFor, runLimited, type Session } from "./session.ts";

const BOOT_TIMEOUT_MS = 120_000;
const BOOT_SECONDS = 3;
/** What one job takes at scale 1 on a hart of its own. */
const PROGRAM_SECONDS = 5;
const JOBS = 2;
const scaleOf = (quick: boolean): number => (quick ? 0.15 : 0.5);

export const hartsWorkloads: readonly Workload[] = [
  { name: "parallel-1", title: "two jobs on one hart", group: "harts", unit: "s", informative: true },
  { name: "parallel-2", title: "two jobs on two harts", group: "harts", unit: "s", informative: true },
  { name: "speed-up", title: "speed-up", group: "harts", unit: "×", target: { must: 1.8, aim: 1.95 } },
];

/** @param guest the busybox guest with the small programs in /bench. */
export function hartsSession(guest: GuestDescription): Session {
  return {
    workloads: hartsWorkloads,
    expectedSeconds: (_wants, quick) => 2 * BOOT_SECONDS + 1.5 * JOBS * PROGRAM_SECONDS * scaleOf(quick),
    async round(round) {
      for (const emulator of round.emulators) {
        const seconds: number[] = [];
        for (const cpus of [1, 2]) {
          const scale = scaleOf(round.quick);
          const expected = BOOT_SECONDS + (JOBS * PROGRAM_SECONDS * scale) / cpus;
          await round.step(
            `${emulator.name}: two jobs on ${cpus === 1 ? "one hart" : "two harts"}`,
            expected,
            async () => {
              const started = await round.start(emulator, { ...guest, cpus });
              await started.until(/@bench ready/, BOOT_TIMEOUT_MS);
              const command = `/bench/parallel ${JOBS} /bench/mix ${scale}`;
              const { output } = await runLimited(started, command, limitFor(expected));
              seconds.push(readRow(output, "parallel")?.seconds ?? Number.NaN);
              await started.stop();
            },
          );
          round.samples.add(`parallel-${cpus}`, emulator.name, seconds[cpus - 1]);
        }
        round.samples.add("speed-up", emulator.name, seconds[0] / seconds[1]);
      }
    },
  };
}
