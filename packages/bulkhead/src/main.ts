/** Entry point of the CLI: parses, runs, and turns whatever went wrong into one or two lines and an exit code. */
import { createRequire } from "node:module";
import { handlers } from "./commands.ts";
import { failures } from "./exit-codes.ts";
import { describeFailure, failureCode } from "./failure.ts";
import type { Images } from "./images.ts";
import { splitCommand } from "./options.ts";
import { exitOfParse, program } from "./program.ts";
import { processStreams, type Streams } from "./streams.ts";

/** Runs the CLI and ends the process. @param args without the program's name. */
export async function main(args: readonly string[]): Promise<never> {
  const streams = processStreams();
  const fail = async (error: unknown): Promise<never> => {
    await streams.stderr.write(describeFailure(error, process.env.BULKHEAD_DEBUG === "1"));
    process.exit(failures[failureCode(error)].exit);
  };
  process.on("uncaughtException", fail);
  try {
    process.exit(await run(args, streams));
  } catch (error) {
    return fail(error);
  }
}

/** Exit code of a command line. Whatever fails is thrown. */
async function run(args: readonly string[], streams: Streams): Promise<number> {
  const { own, command } = splitCommand(args);
  let exit = 0;
  const version: string = createRequire(import.meta.url)("../package.json").version;
  const root = program(handlers(streams, command, loadImages, version), version, (code) => {
    exit = code;
  });
  try {
    await root.parseAsync(own.length === 0 ? ["--help"] : own, { from: "user" });
  } catch (error) {
    return exitOfParse(error);
  }
  return exit;
}

/** The catalogue is large to load and many invocations don't need it. */
const loadImages = async (): Promise<Images> => (await import("./catalogue.ts")).catalogue;
