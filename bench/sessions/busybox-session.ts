/** The busybox guest: idling, waking up, stalls, and the small programs, interleaved between the emulators. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { GuestDescription } from "../emulators/emulator.ts";
import { checkClock } from "../guest/clock-check.ts";
import { readRow, readValues } from "../guest/read-rows.ts";
import type { RunningGuest } from "../guest/running-guest.ts";
import { NATIVE } from "../results/rows.ts";
import { type SmallProgram, smallPrograms } from "../workloads/small-programs.ts";
import type { Workload } from "../workloads/workload.ts";
import { cpuPercent, delay, idleCpu, idleSeconds } from "./idle.ts";
import { limitFor, measure, type Round, runLimited, type Session } from "./session.ts";

const BOOT_TIMEOUT_MS = 120_000;
const BOOT_SECONDS = 3;
const STALL_SECONDS = 3;
const run = promisify(execFile);

const idle: readonly Workload[] = [
  idleCpu,
  { name: "wakeup-median", title: "wake-up latency, median", group: "idle", unit: "ms" },
  {
    name: "wakeup-p99",
    title: "wake-up latency, 99th percentile",
    group: "idle",
    unit: "ms",
    target: { must: 1, aim: 0.5 },
  },
  { name: "wakeup-worst", title: "wake-up latency, worst", group: "idle", unit: "ms" },
];
const stalls: readonly Workload[] = [
  {
    name: "stall-timer",
    title: "delay of a timer signal, worst",
    group: "stall",
    unit: "ms",
    target: { must: 20, aim: 5 },
  },
  { name: "stall-poll", title: "gap in a busy loop, worst", group: "stall", unit: "ms" },
];

export const busyboxWorkloads: readonly Workload[] = [...smallPrograms, ...idle, ...stalls];

const wakeupScale = (quick: boolean): number => (quick ? 0.4 : 1);
const scaleOf = (program: SmallProgram, quick: boolean): number => (quick ? program.quickScale : 1);

/** @param guest the busybox guest with the small programs in /bench. */
export function busyboxSession(guest: GuestDescription): Session {
  const anyOf = (list: readonly Workload[], wants: (name: string) => boolean): boolean =>
    list.some(({ name }) => wants(name));
  return {
    workloads: busyboxWorkloads,
    expectedSeconds(wants, quick) {
      const programs = smallPrograms.filter(({ name }) => wants(name));
      const programSeconds = programs.reduce((sum, each) => sum + each.expectedSeconds * scaleOf(each, quick), 0);
      const wakeup = anyOf(idle, wants) ? idleSeconds(quick) / 3 + 5 * wakeupScale(quick) : 0;
      return BOOT_SECONDS + programSeconds + wakeup + (anyOf(stalls, wants) ? STALL_SECONDS : 0);
    },
    async round(round) {
      const guests: RunningGuest[] = [];
      for (const emulator of round.emulators) guests.push(await boot(round, emulator.name, guest));
      const checks = await Promise.all(guests.map((each) => checkClock(each, "/bench/clock")));
      if (anyOf(idle, round.wants)) await measureIdle(round, guests);
      if (anyOf(stalls, round.wants)) for (const each of guests) await measureStalls(round, each);
      for (const program of smallPrograms) if (round.wants(program.name)) await measureProgram(round, guests, program);
      for (const check of checks) {
        const problem = await check();
        if (problem !== undefined) round.problem(problem);
      }
      await Promise.all(guests.map((each) => each.stop()));
    },
  };
}

function boot(round: Round, name: string, guest: GuestDescription): Promise<RunningGuest> {
  return round.step(`${name}: boot busybox`, BOOT_SECONDS, async () => {
    const emulator = round.emulators.find((each) => each.name === name)!;
    const started = await round.start(emulator, guest);
    await started.until(/@bench ready/, BOOT_TIMEOUT_MS);
    return started;
  });
}

async function measureIdle(round: Round, guests: readonly RunningGuest[]): Promise<void> {
  const seconds = idleSeconds(round.quick);
  await round.step("idle guests", (seconds * guests.length) / 3, async () => {
    // What a boot leaves to do is done by then.
    await delay(1);
    for (const [index, percent] of (await cpuPercent(guests, seconds)).entries()) {
      round.samples.add(idleCpu.name, guests[index].emulator.name, percent);
    }
  });
  for (const guest of guests) {
    const scale = wakeupScale(round.quick);
    await round.step(`${guest.emulator.name}: wake-ups`, 5 * scale, async () => {
      const { output } = await runLimited(guest, `/bench/wakeup ${scale}`, limitFor(5));
      recordMilliseconds(round, guest, output);
    });
  }
}

function recordMilliseconds({ samples }: Round, guest: RunningGuest, output: string): void {
  for (const [name, seconds] of readValues(output)) samples.add(name, guest.emulator.name, seconds * 1000);
}

async function measureStalls(round: Round, guest: RunningGuest): Promise<void> {
  await round.step(`${guest.emulator.name}: stalls`, STALL_SECONDS, async () => {
    const { output } = await runLimited(guest, "/bench/stalls", limitFor(STALL_SECONDS));
    recordMilliseconds(round, guest, output);
  });
}

async function measureProgram(round: Round, guests: readonly RunningGuest[], program: SmallProgram): Promise<void> {
  const { name } = program;
  const scale = scaleOf(program, round.quick);
  for (const guest of guests) {
    const expected = program.expectedSeconds * scale;
    await measure(round, guest, program, expected, `/bench/${name} ${scale}`, (output) => readRow(output, name));
  }
  if (round.nativePrograms === undefined) return;
  const { stdout } = await run(join(round.nativePrograms, name), [String(scale)]);
  const row = readRow(stdout, name);
  if (row !== undefined) round.samples.add(name, NATIVE, row.seconds, row.checksum);
}
