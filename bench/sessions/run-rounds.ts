/** Runs all rounds of all sessions; what fails is noted and left out, so that a long run still gives its results. */
import type { Emulator } from "../emulators/emulator.ts";
import { BenchError } from "../error.ts";
import { RunningGuest } from "../guest/running-guest.ts";
import type { Progress } from "../progress.ts";
import type { Samples } from "../results/samples.ts";
import { TimeLeft } from "../results/time-left.ts";
import type { Round, Session } from "./session.ts";

export interface Rounds {
  readonly sessions: readonly Session[];
  readonly emulators: readonly Emulator[];
  readonly samples: Samples;
  readonly repeat: number;
  readonly quick: boolean;
  readonly cpuTime: boolean;
  readonly nativePrograms: string | undefined;
  wants(workload: string): boolean;
  readonly progress: Pick<Progress, "during" | "say">;
  readonly signal: AbortSignal;
}

/** @returns sentences about what failed or is doubtful, each with its code. */
export async function runRounds(rounds: Rounds): Promise<BenchError[]> {
  const { wants, quick, progress, emulators, samples } = rounds;
  const sessions = rounds.sessions.filter(({ workloads }) => workloads.some(({ name }) => wants(name)));
  const expected = (each: Session): number => each.expectedSeconds(wants, quick) * (each.alone ? 1 : emulators.length);
  const left = new TimeLeft(sessions.reduce((sum, each) => sum + expected(each), 0) * rounds.repeat);
  const problems: BenchError[] = [];
  for (let number = 0; number < rounds.repeat; number++) {
    for (const session of sessions) {
      await using guests = new Guests();
      let done = 0;
      const round: Round = {
        // Who begins changes from round to round: the first may find the host in another state.
        emulators: rotate(emulators, number),
        samples,
        nativePrograms: rounds.nativePrograms,
        quick,
        cpuTime: rounds.cpuTime,
        wants,
        start: async (emulator, guest) => guests.add(await RunningGuest.start(emulator, guest)),
        async step(what, expectedSeconds, work) {
          rounds.signal.throwIfAborted();
          const startMs = performance.now();
          const result = await progress.during(
            `round ${number + 1} of ${rounds.repeat}: ${what}`,
            expectedSeconds,
            left,
            work,
          );
          left.done(expectedSeconds, (performance.now() - startMs) / 1000);
          done += expectedSeconds;
          return result;
        },
        problem: (sentence) => void problems.push(new BenchError("result-wrong", sentence)),
      };
      const stop = (): void => void guests[Symbol.asyncDispose]();
      rounds.signal.addEventListener("abort", stop);
      try {
        await session.round(round);
      } catch (error) {
        rounds.signal.throwIfAborted();
        if (!(error instanceof BenchError)) throw error;
        await progress.say(`bench: ${error.message}`);
        problems.push(error);
      } finally {
        rounds.signal.removeEventListener("abort", stop);
        left.skip(expected(session) - done);
      }
    }
  }
  return problems;
}

function rotate<T>(list: readonly T[], by: number): T[] {
  const at = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

/** The guests of a round, all ended with it. */
class Guests {
  readonly #all: RunningGuest[] = [];

  add(guest: RunningGuest): RunningGuest {
    this.#all.push(guest);
    return guest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((each) => each.stop()));
  }
}
