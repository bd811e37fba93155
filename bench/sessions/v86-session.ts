/** v86's busybox guest: its boot and what it costs when it idles. Another instruction set: a second line, no yardstick. */
import type { Emulator, GuestDescription } from "../emulators/emulator.ts";
import { bootWorkloads } from "./boot-session.ts";
import { cpuPercent, idleCpu, idleSeconds } from "./idle.ts";
import type { Session } from "./session.ts";

const BOOT_TIMEOUT_MS = 240_000;
const BOOT_SECONDS = 10;

/** It brings a kernel of its own; nothing else can be set. */
const guest: GuestDescription = { kernel: "", initrd: "", append: "", memoryMiB: 256, cpus: 1, disks: [] };

export function v86Session(v86: Emulator): Session {
  const [bootBusybox] = bootWorkloads;
  return {
    workloads: [bootBusybox, idleCpu],
    alone: true,
    expectedSeconds: (_wants, quick) => BOOT_SECONDS + idleSeconds(quick),
    async round({ start, step, samples, wants, quick, cpuTime }) {
      const started = await step("v86: boot busybox", BOOT_SECONDS, async () => {
        const booting = await start(v86, guest);
        const { atMs } = await booting.until(/@bench ready/, BOOT_TIMEOUT_MS);
        const seconds = cpuTime ? booting.usage.cpuSeconds : (atMs - booting.startedMs) / 1000;
        if (wants(bootBusybox.name)) samples.add(bootBusybox.name, v86.name, seconds);
        return booting;
      });
      if (wants(idleCpu.name)) {
        await step("v86: idle guest", idleSeconds(quick), async () => {
          const [percent] = await cpuPercent([started], idleSeconds(quick));
          samples.add(idleCpu.name, v86.name, percent);
        });
      }
      await started.stop();
    },
  };
}
