/** Runs batches of random programs on QEMU and on executors of our own until told to stop, and cuts a failure to size. */
import type { Executor } from "./executor.ts";
import { randomProgram } from "./generator.ts";
import { buildImage, differences } from "./image.ts";
import type { Pool } from "./pool.ts";
import type { Program } from "./program.ts";
import type { Qemu } from "./qemu.ts";
import { shrink } from "./shrink.ts";

/** Programs for each process of QEMU: enough to hide what starting it costs. */
export const BATCH = 200;

export interface Disagreement {
  /** The smallest program found that still fails. */
  readonly program: Program;
  readonly executor: string;
  /** One line for each place that differs, or why the program did not end. */
  readonly complaints: readonly string[];
}

/** What is wrong with each program of a batch on an executor, in the batch's order; empty where all agrees. */
export async function judge(programs: readonly Program[], witness: Qemu, executor: Executor): Promise<string[][]> {
  const image = buildImage(programs);
  const [expected, { data, stopped }] = await Promise.all([witness.run(image), executor.run(image)]);
  return programs.map((_, index) => {
    const reason = stopped.get(index);
    if (reason !== undefined) return [reason];
    return differences(index, expected, data).map(
      ({ place, expected, actual }) => `${place} is 0x${actual.toString(16)}, QEMU has 0x${expected.toString(16)}`,
    );
  });
}

/** Runs the programs of `count` seeds from `seed` on; gives the first disagreement, made small. */
export async function runBatch(
  pool: Pool,
  witness: Qemu,
  executors: readonly Executor[],
  seed: bigint,
  count = BATCH,
): Promise<Disagreement | undefined> {
  const programs = Array.from({ length: count }, (_, index) => randomProgram(pool, seed + BigInt(index)));
  for (const executor of executors) {
    const complaints = await judge(programs, witness, executor);
    const failing = complaints.findIndex((list) => list.length > 0);
    if (failing < 0) continue;
    const program = await shrink(programs[failing]!, async (candidates) =>
      (await judge(candidates, witness, executor)).map((list) => list.length > 0),
    );
    const [remaining] = await judge([program], witness, executor);
    // A failure that needs its neighbours in the batch does not show alone: then the batch's complaints are all there is.
    return { program, executor: executor.name, complaints: remaining!.length > 0 ? remaining! : complaints[failing]! };
  }
  return undefined;
}
