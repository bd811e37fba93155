/** A session starts guests and measures workloads in them. A run is some rounds of all its sessions, one after another. */
import type { Emulator, GuestDescription } from "../emulators/emulator.ts";
import { BenchError } from "../error.ts";
import type { RunningGuest } from "../guest/running-guest.ts";
import type { Samples } from "../results/samples.ts";
import type { Measured, Workload } from "../workloads/workload.ts";

/** What a session is handed for one round. */
export interface Round {
  readonly emulators: readonly Emulator[];
  readonly samples: Samples;
  /** The directory with the small programs as this host runs them, where it has a compiler. */
  readonly nativePrograms: string | undefined;
  /** Small amounts of work. */
  readonly quick: boolean;
  /** Seconds are of the processor time that the machine's process used. */
  readonly cpuTime: boolean;
  wants(workload: string): boolean;
  /** Starts a guest that the round ends if the session does not. */
  start(emulator: Emulator, guest: GuestDescription): Promise<RunningGuest>;
  /** Does a piece of work that is shown while it lasts; `expectedSeconds` is for the time left. */
  step<T>(what: string, expectedSeconds: number, work: () => Promise<T>): Promise<T>;
  /** Notes what makes results doubtful. */
  problem(sentence: string): void;
}

export interface Session {
  readonly workloads: readonly Workload[];
  /** It runs an emulator of its own instead of the round's. */
  readonly alone?: boolean;
  /** How long a round takes for each emulator, roughly; the sum of what its steps expect. */
  expectedSeconds(wants: (workload: string) => boolean, quick: boolean): number;
  round(round: Round): Promise<void>;
}

/** Time for the guest to say that it gave a command up. */
const GRACE_MS = 60_000;
/** Exit codes of `timeout`: its own, and that of a command ended by SIGTERM as busybox passes it on. */
const GIVEN_UP: readonly number[] = [124, 143];

/** A command's output, whether the guest's `timeout` ended it, and a sentence where it failed. */
export interface LimitedRun {
  readonly output: string;
  readonly givenUp: boolean;
  readonly failure?: string;
  /** Processor time of the machine's process per second: 1 is a whole core. */
  readonly busy: number;
}

/** Runs a command for at most `limitSeconds` of the guest's time and insists on its success. Errors: `guest-failed`. */
export async function runLimited(guest: RunningGuest, command: string, limitSeconds: number): Promise<LimitedRun> {
  const run = await runToEnd(guest, command, limitSeconds);
  if (run.failure === undefined) return run;
  throw new BenchError("guest-failed", run.failure);
}

async function runToEnd(guest: RunningGuest, command: string, limitSeconds: number): Promise<LimitedRun> {
  const limit = Math.ceil(limitSeconds);
  const before = guest.usage.cpuSeconds;
  const { output, exit, hostSeconds } = await guest.run(`timeout ${limit} ${command}`, limit * 1000 + GRACE_MS);
  const busy = (guest.usage.cpuSeconds - before) / hostSeconds;
  if (exit === 0) return { output, busy, givenUp: false };
  if (GIVEN_UP.includes(exit)) return { output, busy, givenUp: true };
  const said = output.trim().slice(-400);
  return { output, busy, givenUp: false, failure: `${command} on ${guest.emulator.name} ended with ${exit}: ${said}` };
}

/** How long a workload may take that is expected to take `expectedSeconds`. */
export const limitFor = (expectedSeconds: number): number => 60 + 15 * expectedSeconds;

/**
 * Runs a workload and records what `read` finds in its output. One that is given up counts with the time it was given,
 * which flatters it; left out it would flatter the mean more.
 */
export async function measure(
  round: Round,
  guest: RunningGuest,
  { name, title }: Workload,
  expectedSeconds: number,
  command: string,
  read: (output: string) => Measured | undefined,
): Promise<void> {
  const machine = guest.emulator.name;
  await round.step(`${machine}: ${title}`, expectedSeconds, async () => {
    const limit = limitFor(expectedSeconds);
    const ended = await runToEnd(guest, command, limit);
    if (ended.failure !== undefined) return round.problem(ended.failure);
    const { output, givenUp, busy } = ended;
    const result = givenUp ? { seconds: limit } : read(output);
    if (givenUp) round.problem(`${name} on ${machine} was given up after ${limit} s and counts with them`);
    if (result === undefined) round.problem(`${name} on ${machine} reported nothing: ${output.trim().slice(-200)}`);
    else round.samples.add(name, machine, result.seconds * (round.cpuTime && !givenUp ? busy : 1), result.checksum);
  });
}
