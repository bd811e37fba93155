/** Runs the real CLI as a process of its own, as a user does, and remembers what it printed. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const BIN = fileURLToPath(new URL("../../packages/bulkhead/bin/bulkhead.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** Text for stdin, then its end; left open where undefined. */
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** The Node to start it with. */
  readonly node?: string;
}

/** A running CLI: to send signals to, and to wait for. */
export class Cli {
  readonly process: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  stdout = "";
  stderr = "";

  constructor(args: readonly string[], options: CliOptions = {}) {
    const env = { ...process.env, ...options.env };
    delete env.NODE_OPTIONS;
    delete env.NODE_TEST_CONTEXT;
    this.process = spawn(options.node ?? process.execPath, [BIN, ...args], { env });
    this.process.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.process.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.process.stdin.on("error", () => {});
    if (options.input !== undefined) this.process.stdin.end(options.input);
    this.ended = new Promise((resolve) => {
      this.process.on("close", (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }
}

/** Resolves when the process has printed the text on stdout; fails when it ends before. */
export async function printed(running: Cli, text: string): Promise<void> {
  while (!running.stdout.includes(text)) {
    await Promise.race([
      new Promise((resolve) => running.process.stdout.once("data", resolve)),
      running.ended.then(({ stderr }) => {
        if (!running.stdout.includes(text)) throw new Error(`ended before it printed ${text}: ${stderr}`);
      }),
    ]);
  }
}

/** Runs to the end. Without `input` its stdin is empty. */
export const cli = (args: readonly string[], options: CliOptions = {}): Promise<Ended> =>
  new Cli(args, { input: "", ...options }).ended;

/** A folder that is gone after `use`. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-cli-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Names in a folder, all levels, for finding what was left behind. */
export const contents = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true })).sort();
