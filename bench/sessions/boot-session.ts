/** Boots of the busybox guest, each in a process of its own, from its start to the first command's output. */
import type { GuestDescription } from "../emulators/emulator.ts";
import type { Workload } from "../workloads/workload.ts";
import type { Session } from "./session.ts";

const BOOT_TIMEOUT_MS = 120_000;
const BOOT_SECONDS = 3;

const NAME = "boot-busybox";

export const bootWorkloads: readonly Workload[] = [
  { name: NAME, title: "busybox, to its first command", group: "boot", unit: "s", target: { must: 1, aim: 2 } },
];

/** @param guest the busybox guest without the programs, which would only make it larger. */
export function bootSession(guest: GuestDescription): Session {
  return {
    workloads: bootWorkloads,
    expectedSeconds: () => BOOT_SECONDS,
    async round(round) {
      for (const emulator of round.emulators) {
        await round.step(`${emulator.name}: boot busybox`, BOOT_SECONDS, async () => {
          const started = await round.start(emulator, guest);
          const { atMs } = await started.until(/@bench ready/, BOOT_TIMEOUT_MS);
          const { cpuSeconds } = started.usage;
          round.samples.add(NAME, emulator.name, round.cpuTime ? cpuSeconds : (atMs - started.startedMs) / 1000);
          await started.stop();
        });
      }
    },
  };
}
