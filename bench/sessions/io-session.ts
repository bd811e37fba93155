/** Disks and network: all machines' guests at once, which take turns, program by program. */
import { copyFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { GuestDescription, WrittenDisk } from "../emulators/emulator.ts";
import { BenchError } from "../error.ts";
import type { RunningGuest } from "../guest/running-guest.ts";
import { IperfServer } from "../tools/iperf.ts";
import { diskPrograms, type IoProgram, netPrograms } from "../workloads/io-programs.ts";
import { isRate, type Workload } from "../workloads/workload.ts";
import { delay } from "./idle.ts";
import { limitFor, type Round, runLimited, type Session } from "./session.ts";

const BOOT_TIMEOUT_MS = 120_000;
const BOOT_SECONDS = 8;
const UNPACK_LIMIT_SECONDS = 120;
/** The first of the ports that servers on this host try. */
const FIRST_PORT = 15_201;
const PORTS = 20;
/** A run counts as better than the best before it by this factor. */
const BETTER = 1.1;
/** Processor time for which a guest does the first of its programs before anything counts: what translates code needs it. */
const WARM_SECONDS = 15;
const MOST_RUNS = 8;
/** A server on this host takes one test at a time, and learns a little late that one has ended. */
const PAUSE_SECONDS = 0.5;
/** Most programs need so many runs. */
const USUAL_RUNS = 3;
/** The guest's disks: programs first, then those that are measured. */
const devices = { raw: "/dev/vdb", qcow2: "/dev/vdc" } as const;

export const ioWorkloads: readonly Workload[] = [...diskPrograms, ...netPrograms];

export interface IoSetting {
  /** A busybox guest whose first disk holds the programs. */
  readonly guest: GuestDescription;
  /** Disks to copy for each machine. */
  readonly disks: { readonly raw: string; readonly qcow2: string };
  /** What starts iperf3 on this host. */
  readonly iperf: readonly string[];
  /** A directory for the copies. */
  readonly scratch: string;
}

export function ioSession(setting: IoSetting): Session {
  const chosen = (wants: (name: string) => boolean): IoProgram[] =>
    [...diskPrograms, ...netPrograms].filter(({ name }) => wants(name));
  return {
    workloads: ioWorkloads,
    expectedSeconds: (wants) =>
      BOOT_SECONDS + WARM_SECONDS + chosen(wants).reduce((sum, program) => sum + expectedOf(program), 0),
    async round(round) {
      const guests: RunningGuest[] = [];
      const written: WrittenDisk[][] = [];
      try {
        for (const [index, emulator] of round.emulators.entries()) {
          written.push(await ownDisks(setting, join(setting.scratch, `io-${index}`)));
          const guest = { ...setting.guest, writtenDisks: written[index], network: true };
          guests.push(await boot(round, () => round.start(emulator, guest), emulator.name));
        }
        await warmUp(round, guests);
        await measureDisks(round, guests);
        await measureNetwork(round, guests, setting.iperf);
        await Promise.all(guests.map((each) => each.stop()));
      } finally {
        for (const { path } of written.flat()) await rm(path, { force: true });
      }
    },
  };
}

const expectedOf = ({ expectedSeconds }: IoProgram): number => expectedSeconds * USUAL_RUNS;

async function ownDisks({ disks }: IoSetting, prefix: string): Promise<WrittenDisk[]> {
  return await Promise.all(
    (["raw", "qcow2"] as const).map(async (format) => {
      const path = `${prefix}.${format}`;
      await copyFile(disks[format], path);
      return { path, format };
    }),
  );
}

function boot(round: Round, start: () => Promise<RunningGuest>, name: string): Promise<RunningGuest> {
  return round.step(`${name}: boot, unpack programs`, BOOT_SECONDS, async () => {
    const guest = await start();
    await guest.until(/@bench ready/, BOOT_TIMEOUT_MS);
    const modules = "modprobe virtio_mmio; modprobe virtio_blk; modprobe virtio_net";
    const programs = "mkdir /tmp/io; tar xf /dev/vda -C /tmp/io";
    const network = "ip link set eth0 up; udhcpc -q -n -i eth0 -s /lib/bulkhead/udhcpc";
    await runLimited(guest, `sh -c '${modules}; ${programs} && ${network}'`, UNPACK_LIMIT_SECONDS);
    return guest;
  });
}

async function warmUp(round: Round, guests: readonly RunningGuest[]): Promise<void> {
  const first = diskPrograms.find(({ name }) => round.wants(name));
  if (first === undefined) return;
  for (const guest of guests) {
    const begin = guest.usage.cpuSeconds;
    await round.step(`${guest.emulator.name}: warm up`, WARM_SECONDS, async () => {
      while (guest.usage.cpuSeconds - begin < WARM_SECONDS)
        await runLimited(guest, first.command(devices[first.disk]), limitFor(first.expectedSeconds));
    });
  }
}

async function measureDisks(round: Round, guests: readonly RunningGuest[]): Promise<void> {
  for (const program of diskPrograms) {
    if (!round.wants(program.name)) continue;
    for (const guest of guests) await measureIo(round, guest, program, program.command(devices[program.disk]));
  }
}

async function measureNetwork(
  round: Round,
  guests: readonly RunningGuest[],
  command: readonly string[],
): Promise<void> {
  const programs = netPrograms.filter(({ name }) => round.wants(name));
  if (programs.length === 0) return;
  const server = await startServer(command);
  try {
    for (const program of programs)
      for (const guest of guests) await measureIo(round, guest, program, program.command(server.port));
  } finally {
    server.stop();
  }
}

async function startServer(command: readonly string[]): Promise<IperfServer> {
  for (let port = FIRST_PORT; ; port++) {
    try {
      return await IperfServer.start(command, port);
    } catch (error) {
      if (!(error instanceof BenchError) || port === FIRST_PORT + PORTS) throw error;
    }
  }
}

/**
 * Runs a program until it gets no better, and records the best run: the first ones are about code that has never run.
 * By processor time a rate is what a whole core would give.
 */
async function measureIo(round: Round, guest: RunningGuest, program: IoProgram, command: string): Promise<void> {
  const { name, title, unit } = program;
  const machine = guest.emulator.name;
  const rate = isRate(unit);
  let best: number | undefined;
  try {
    for (let run = 0; run < MOST_RUNS; run++) {
      const seconds = run === 0 ? expectedOf(program) : 0;
      await delay(PAUSE_SECONDS);
      const { output, busy } = await round.step(`${machine}: ${title}`, seconds, () =>
        runLimited(guest, command, limitFor(program.expectedSeconds)),
      );
      const value = program.read(output);
      if (value === undefined)
        throw new BenchError("guest-failed", `it reported nothing: ${output.trim().slice(-300)}`);
      const counted = round.cpuTime && rate ? value / busy : value;
      const before = best;
      best = before === undefined ? counted : rate ? Math.max(before, counted) : Math.min(before, counted);
      if (before !== undefined && Math.max(best / before, before / best) < BETTER) break;
    }
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    round.problem(`${name} on ${machine}: ${error.message}`);
  }
  if (best !== undefined) round.samples.add(name, machine, best);
}
