/** Debian with systemd: its boot to a login, its memory when it idles, then the real programs, interleaved. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Emulator, GuestDescription } from "../emulators/emulator.ts";
import { checkClock } from "../guest/clock-check.ts";
import type { RunningGuest } from "../guest/running-guest.ts";
import { realPrograms } from "../workloads/real-programs.ts";
import type { Workload } from "../workloads/workload.ts";
import { cpuPercent, delay } from "./idle.ts";
import { measure, type Round, type Session } from "./session.ts";

const BOOT_TIMEOUT_MS = 300_000;
const BOOT_SECONDS = 20;
/** systemd goes on with some work behind the login. */
const SETTLE_SECONDS = 8;
const IDLE_SECONDS = 10;
const UNPACK_SECONDS = 2;
const run = promisify(execFile);

const BOOT = "boot-debian";
const MEMORY = "resident-debian";
const IDLE = "idle-cpu-debian";

export const debianWorkloads: readonly Workload[] = [
  { name: BOOT, title: "Debian, to its login", group: "boot", unit: "s", target: { must: 1, aim: 2 } },
  { name: MEMORY, title: "idle Debian of 1 GiB", group: "memory", unit: "MiB", target: { must: 220, aim: 120 } },
  { name: IDLE, title: "CPU of one core, Debian", group: "idle", unit: "%", target: { must: 1, aim: 0.2 } },
  ...realPrograms,
];

export interface DebianGuest extends GuestDescription {
  /** The first disk is the image's root, the second holds the payload; both are left as they are. */
  readonly disks: readonly [root: string, payload: string];
}

/** @param scratch a directory for copies of the root disk. */
export function debianSession(guest: DebianGuest, scratch: string): Session {
  const idles = (wants: (name: string) => boolean): boolean => wants(MEMORY) || wants(IDLE);
  return {
    workloads: debianWorkloads,
    expectedSeconds(wants) {
      const programs = realPrograms.filter(({ name }) => wants(name));
      const seconds = programs.reduce((sum, each) => sum + each.expectedSeconds, 0);
      return (
        BOOT_SECONDS + (idles(wants) ? SETTLE_SECONDS + IDLE_SECONDS : 0) + (seconds > 0 ? UNPACK_SECONDS : 0) + seconds
      );
    },
    async round(round) {
      const guests: RunningGuest[] = [];
      const programs = realPrograms.filter(({ name }) => round.wants(name));
      for (const [index, emulator] of round.emulators.entries()) {
        const started = await boot(round, emulator, await ownDisks(guest, emulator, join(scratch, `${index}`)));
        if (idles(round.wants)) await measureIdle(round, started);
        if (programs.length === 0) await started.stop();
        else guests.push(await unpack(round, started));
      }
      const checks = await Promise.all(guests.map((each) => checkClock(each, "./clock")));
      for (const program of programs)
        for (const each of guests)
          await measure(round, each, program, program.expectedSeconds, program.command, program.read);
      for (const check of checks) {
        const problem = await check();
        if (problem !== undefined) round.problem(problem);
      }
      await Promise.all(guests.map((each) => each.stop()));
    },
  };
}

/** Copies for an emulator that writes into its disks: sparse, and shared with the original where the host can. */
async function ownDisks(guest: DebianGuest, emulator: Emulator, prefix: string): Promise<GuestDescription> {
  if (!emulator.needsOwnDisks) return guest;
  const disks: string[] = [];
  for (const [index, path] of guest.disks.entries()) {
    const copy = `${prefix}-${index}.raw`;
    await run("cp", ["--sparse=always", "--reflink=auto", path, copy]);
    disks.push(copy);
  }
  return { ...guest, disks };
}

function boot(round: Round, emulator: Emulator, guest: GuestDescription): Promise<RunningGuest> {
  return round.step(`${emulator.name}: boot Debian`, BOOT_SECONDS, async () => {
    const started = await round.start(emulator, guest);
    const { atMs } = await started.until(/root@debian:~# /, BOOT_TIMEOUT_MS);
    const { cpuSeconds } = started.usage;
    round.samples.add(BOOT, emulator.name, round.cpuTime ? cpuSeconds : (atMs - started.startedMs) / 1000);
    return started;
  });
}

function measureIdle(round: Round, guest: RunningGuest): Promise<void> {
  const { name } = guest.emulator;
  return round.step(`${name}: Debian idles`, SETTLE_SECONDS + IDLE_SECONDS, async () => {
    await delay(SETTLE_SECONDS);
    const [percent] = await cpuPercent([guest], IDLE_SECONDS);
    round.samples.add(IDLE, name, percent);
    round.samples.add(MEMORY, name, guest.usage.residentMiB);
  });
}

function unpack(round: Round, guest: RunningGuest): Promise<RunningGuest> {
  return round.step(`${guest.emulator.name}: unpack programs`, UNPACK_SECONDS, async () => {
    // The echo of what is typed must not look like the agent's answer, and bash must not read on from the line.
    guest.type("mkdir -p /tmp/bench && cd /tmp/bench && tar xf /dev/vdb && exec sh ./agent.sh\n");
    await guest.until(/@bench ready/, BOOT_TIMEOUT_MS);
    return guest;
  });
}
