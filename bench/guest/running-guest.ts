/** A guest in a process of its own, driven over its serial console: waits for text, runs commands through the agent. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { Emulator, GuestDescription } from "../emulators/emulator.ts";
import { BenchError } from "../error.ts";
import { type Usage, usageOf } from "./process-usage.ts";

/** Only this much of the console is kept. */
const MOST_CHARACTERS = 1 << 20;
const TAIL_CHARACTERS = 600;

/** What a command printed, its exit code, and how long it took by the host's clock. */
export interface CommandRun {
  readonly output: string;
  readonly exit: number;
  readonly hostSeconds: number;
}

export class RunningGuest {
  readonly emulator: Emulator;
  readonly startedMs: number;
  readonly #child: ChildProcessWithoutNullStreams;
  #console = "";
  #errors = "";
  #ended = false;
  #commands = 0;
  #heard = Promise.withResolvers<void>();

  private constructor(emulator: Emulator, child: ChildProcessWithoutNullStreams, startedMs: number) {
    this.emulator = emulator;
    this.startedMs = startedMs;
    this.#child = child;
    child.stdout.setEncoding("latin1").on("data", (text: string) => {
      this.#console = (this.#console + text).slice(-MOST_CHARACTERS);
      this.#tell();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-TAIL_CHARACTERS);
    });
    child.stdin.on("error", () => {});
    const end = (): void => {
      this.#ended = true;
      this.#tell();
    };
    child.on("close", end).on("error", end);
  }

  static start(emulator: Emulator, guest: GuestDescription): RunningGuest {
    const { file, args } = emulator.commandLine(guest);
    const startedMs = performance.now();
    return new RunningGuest(emulator, spawn(file, args, { stdio: "pipe" }), startedMs);
  }

  /** Processor time and memory of the process that runs the guest. */
  get usage(): Usage {
    return usageOf(this.#child.pid ?? 0);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /**
   * Waits until the console shows the pattern behind everything that was taken before; takes the text up to its end and
   * gives it with the host's time. Errors: `guest-failed`.
   */
  async until(pattern: RegExp, timeoutMs: number): Promise<{ text: string; match: RegExpExecArray; atMs: number }> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const heard = this.#heard.promise;
      const match = pattern.exec(this.#console);
      const atMs = performance.now();
      if (match !== null) {
        const end = match.index + match[0].length;
        const text = this.#console.slice(0, end);
        this.#console = this.#console.slice(end);
        return { text, match, atMs };
      }
      if (this.#ended) throw this.#failure("it ended");
      if (atMs >= deadlineMs) throw this.#failure(`no answer in ${Math.round(timeoutMs / 1000)} s`);
      const timer = AbortSignal.timeout(Math.ceil(deadlineMs - atMs));
      const late = new Promise<void>((resolve) => timer.addEventListener("abort", () => resolve(), { once: true }));
      await Promise.race([heard, late]);
    }
  }

  type(text: string): void {
    this.#child.stdin.write(text);
  }

  /** Runs one line of shell through the agent. Errors: `guest-failed`. */
  async run(command: string, timeoutMs: number): Promise<CommandRun> {
    const id = `c${++this.#commands}`;
    this.type(`${id} ${command}\n`);
    const start = await this.until(new RegExp(`@bench start ${id}\\r?\\n`), timeoutMs);
    const end = await this.until(new RegExp(`@bench end ${id} (\\d+)\\r?\\n`), timeoutMs);
    const output = end.text.slice(0, end.match.index);
    return { output, exit: Number(end.match[1]), hostSeconds: (end.atMs - start.atMs) / 1000 };
  }

  /** Ends the guest as if its power failed. */
  async stop(): Promise<void> {
    if (this.#ended) return;
    this.#child.kill("SIGTERM");
    const overdue = setTimeout(() => this.#child.kill("SIGKILL"), 5000);
    while (!this.#ended) await this.#heard.promise;
    clearTimeout(overdue);
  }

  #tell(): void {
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
  }

  #failure(why: string): BenchError {
    const shown = `${this.#console.slice(-TAIL_CHARACTERS)}\n${this.#errors}`.replaceAll("\r", "").trim();
    return new BenchError(
      "guest-failed",
      `the guest on ${this.emulator.name} failed: ${why}; its last lines:\n${shown}`,
    );
  }
}
