/** A session starts guests and measures workloads in them. A run is some rounds of all its sessions, one after another. */
import type { Emulator, GuestDescription } from "../emulators/emulator.ts";
import { BenchError } from "../error.ts";
import type { CommandRun, RunningGuest } from "../guest/running-guest.ts";
import type { Samples } from "../results/samples.ts";
import type { Workload } from "../workloads/workload.ts";

/** What a session is handed for one round. */
export interface Round {
  readonly emulators: readonly Emulator[];
  readonly samples: Samples;
  /** The directory with the small programs as this host runs them, where it has a compiler. */
  readonly nativePrograms: string | undefined;
  /** A factor for how much the programs do, in quick runs less than 1. */
  readonly quick: boolean;
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
  /** How long a round takes for each emulator, roughly; the sum of what its steps expect. */
  expectedSeconds(wants: (workload: string) => boolean, quick: boolean): number;
  round(round: Round): Promise<void>;
}

/** Runs a command and insists on its success. Errors: `guest-failed`. */
export async function runWell(guest: RunningGuest, command: string, timeoutMs: number): Promise<CommandRun> {
  const run = await guest.run(command, timeoutMs);
  if (run.exit === 0) return run;
  const said = run.output.trim().slice(-400);
  throw new BenchError("guest-failed", `${command} on ${guest.emulator.name} ended with ${run.exit}: ${said}`);
}
