/** A run from its options to its result: finds the machines, prepares the workloads, measures, judges. */
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { cacheDirectory } from "../packages/guests/src/index.ts";
import type { Emulator } from "./emulators/emulator.ts";
import { BenchError } from "./error.ts";
import type { Options } from "./options.ts";
import { prepare } from "./prepare.ts";
import type { Progress } from "./progress.ts";
import { type Environment, type JsonResult, jsonResult } from "./results/json.ts";
import { groupResults, rowsOf } from "./results/rows.ts";
import { Samples } from "./results/samples.ts";
import { resultTable } from "./results/table.ts";
import { chosenWorkloads } from "./sessions/all-workloads.ts";
import { runRounds } from "./sessions/run-rounds.ts";
import { findQemus, thisBulkhead } from "./tools/emulators.ts";
import { checkOut } from "./tools/revision.ts";
import { fetchV86 } from "./tools/v86.ts";

/** Runnable processes per core beyond which times say more about the host than about the machines. */
const MOST_LOAD = 0.6;

export interface Result {
  readonly table: string;
  readonly json: JsonResult;
  readonly problems: readonly BenchError[];
}

/** Measures. Errors: a `BenchError`, or an `ImageError` where an image cannot be built. */
export async function bench(options: Options, progress: Progress, signal: AbortSignal): Promise<Result> {
  const scratch = await mkdtemp(join(tmpdir(), "bulkhead-bench-"));
  try {
    return await benchIn(scratch, options, progress, signal);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function benchIn(scratch: string, options: Options, progress: Progress, signal: AbortSignal): Promise<Result> {
  const { quick, repeat, only, cpuTime } = options;
  const cache = join(cacheDirectory(), "bench");
  const emulators = await findEmulators(scratch, cache, options, progress);
  const chosen = chosenWorkloads(only, quick);
  const wants = (name: string): boolean => chosen.some((each) => each.name === name);
  const v86 = options.v86 ? [await fetchV86(cache, scratch, progress.prepare)] : [];
  const prepared = await prepare({ chosen, cache, scratch, v86, signal, onProgress: progress.prepare });
  signal.throwIfAborted();
  await progress.say([...emulators, ...v86].map(({ name, version }) => `${name}: ${version}`).join("\n"));
  const samples = new Samples();
  const load = loadavg();
  if (load[0] > availableParallelism() * MOST_LOAD && !cpuTime) {
    await progress.say(`bench: this host is busy (load ${load[0].toFixed(1)}): --cpu-time would be disturbed less`);
  }
  const { sessions, nativePrograms, compiler } = prepared;
  const found = await runRounds({
    sessions,
    emulators,
    samples,
    repeat,
    quick,
    cpuTime,
    nativePrograms,
    wants,
    progress,
    signal,
  });
  const problems = [...found, ...samples.disagreements().map((each) => new BenchError("result-wrong", each))];
  const [subject, ...peers] = emulators.map(({ name }) => name);
  const others = v86.map(({ name }) => name);
  const comparison = { subject, peers, others, kind: options.against === undefined ? "qemu" : "revision" } as const;
  const results = groupResults(rowsOf(chosen, samples, comparison));
  const environment = describe([...emulators, ...v86], compiler, options, load);
  const sentences = problems.map(({ message }) => message);
  return {
    table: resultTable(results, comparison),
    json: jsonResult(results, comparison, environment, sentences),
    problems,
  };
}

/** The machines of the run; the first is the one that is judged. */
async function findEmulators(
  scratch: string,
  cache: string,
  options: Options,
  progress: Progress,
): Promise<Emulator[]> {
  const { against, revision, qemu } = options;
  const name = against === undefined ? "bulkhead" : (revision ?? "this");
  const subject =
    revision === undefined ? thisBulkhead(name) : await checkOut(revision, name, join(scratch, "subject"));
  if (against !== undefined) {
    // The same revision twice shows how much chance there is in the ratios.
    const other = against === name ? `${against} again` : against;
    return [subject, await checkOut(against, other, join(scratch, "against"))];
  }
  const onWarning = (text: string): void => void progress.say(`bench: ${text}`);
  return [subject, ...(await findQemus({ cache, qemu, onProgress: progress.prepare, onWarning }))];
}

function describe(emulators: readonly Emulator[], compiler: string, options: Options, load: number[]): Environment {
  const { repeat, quick, cpuTime } = options;
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    revision: emulators[0].version,
    host: {
      processor: processors[0]?.model.trim() ?? "unknown",
      cores: processors.length,
      memoryMiB: Math.round(totalmem() / (1 << 20)),
      kernel: release(),
      node: process.version,
      load,
    },
    machines: Object.fromEntries(emulators.map(({ name, version }) => [name, version])),
    compiler,
    repeat,
    quick,
    cpuTime,
  };
}
