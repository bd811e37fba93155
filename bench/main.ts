/** Entry point of `npm run bench`. */
import { writeFile } from "node:fs/promises";
import { ImageError } from "../packages/guests/src/index.ts";
import { bench, type Result } from "./bench.ts";
import { BenchError, benchErrorCodes } from "./error.ts";
import { checkOnly, help, type Options, parseOptions } from "./options.ts";
import { Progress } from "./progress.ts";
import { chart } from "./results/chart.ts";
import { chosenWorkloads, knownNames, workloadList } from "./sessions/all-workloads.ts";

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(help);
  else if (options.list) console.log(workloadList());
  else return await measure(options);
  return 0;
}

async function measure(options: Options): Promise<number> {
  checkOnly(options.only, knownNames());
  if (chosenWorkloads(options.only, options.quick).length === 0) {
    throw new BenchError("usage", `--quick measures none of ${options.only.join(", ")}; see --list`);
  }
  // Early, not after half an hour.
  for (const file of [options.json, options.chart]) if (file !== undefined) await writeResult(file, "");
  const progress = new Progress();
  const abort = new AbortController();
  const stop = (): void => abort.abort(new BenchError("interrupted", "stopped"));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, stop);
  try {
    return await tell(await bench(options, progress, abort.signal), options);
  } catch (error) {
    abort.signal.throwIfAborted();
    throw error;
  } finally {
    await progress.clear();
  }
}

async function tell({ table, json, problems }: Result, { json: jsonFile, chart: chartFile }: Options): Promise<number> {
  console.log(table);
  if (jsonFile !== undefined) await writeResult(jsonFile, `${JSON.stringify(json, null, 1)}\n`);
  if (chartFile !== undefined) await writeResult(chartFile, chart(json));
  for (const { message } of problems) console.error(`bench: ${message}`);
  return problems.length === 0 ? 0 : benchErrorCodes[problems[0].code].exit;
}

async function writeResult(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((cause) => {
    throw new BenchError("usage", `${file} cannot be written: ${cause.message}`, { cause });
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof BenchError || error instanceof ImageError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode =
    error instanceof BenchError ? benchErrorCodes[error.code].exit : benchErrorCodes["build-failed"].exit;
}
