/**
 * A run with a command: only what the command prints appears, and its exit code is ours. The guest's agent starts it
 * when the guest is up; its input, output and errors are ports of their own, with backpressure and an end.
 */
import { ControlReader, controlLine, ports } from "./control.ts";
import { CliError } from "./failure.ts";
import { ProgressLine } from "./progress-line.ts";
import { reportStop } from "./report-stop.ts";
import type { RunningGuest } from "./running-guest.ts";
import { onSignals } from "./signals.ts";
import type { Output, Streams } from "./streams.ts";

export interface CommandOptions {
  /** What the progress line calls the guest. */
  readonly name: string;
  /** The guest has a disk that outlives it: shut it down rather than stop it. */
  readonly shutDown: boolean;
  /** The guest may hold back what it wrote to a folder of this host, by mapped memory: have it written first. */
  readonly sync?: boolean;
  /** The guest goes on from where it was ready: it is not waited for, and told the time. */
  readonly resumed?: boolean;
  /** Called when the guest is ready, before the command starts: resolves when it may. */
  readonly onReady?: () => Promise<void>;
  /** Called when the command has ended: resolves when the guest may be stopped. */
  readonly onEnd?: () => Promise<void>;
  /** Show the guest's serial console on stderr. */
  readonly showConsole: boolean;
}

/** How long a guest may take to shut down before it is stopped. */
const SHUTDOWN_MS = 90_000;
const PROGRESS_MS = 200;

/** Runs a command and resolves with its exit code. Errors: `guest-panic`, `guest-stuck`, `guest-stopped`, `killed`. */
export function runCommand(
  guest: RunningGuest,
  command: readonly string[],
  streams: Streams,
  options: CommandOptions,
): Promise<number> {
  return new CommandRun(guest, command, streams, options).run();
}

class CommandRun {
  readonly #guest: RunningGuest;
  readonly #command: readonly string[];
  readonly #streams: Streams;
  readonly #options: CommandOptions;
  readonly #progress: ProgressLine;
  /** The command's exit code, or undefined when the guest ended without one. */
  readonly #exited = Promise.withResolvers<number | undefined>();
  /** The guest has written back what it held. */
  readonly #synced = Promise.withResolvers<void>();
  readonly #killed = Promise.withResolvers<NodeJS.Signals>();
  #running = false;
  #lastLine = "";

  constructor(guest: RunningGuest, command: readonly string[], streams: Streams, options: CommandOptions) {
    this.#guest = guest;
    this.#command = command;
    this.#streams = streams;
    this.#options = options;
    this.#progress = new ProgressLine(streams.stderr, false);
  }

  async run(): Promise<number> {
    const { stdin, stdout, stderr } = this.#streams;
    const ignore = onSignals((name, again) => this.#signal(name, again));
    const ticking = this.#showProgress();
    try {
      void this.#control();
      if (this.#options.resumed === true) void this.#start();
      const pumps = [this.#console(), this.#copy(ports.stdout, stdout), this.#copy(ports.stderr, stderr)];
      const end = await Promise.race([this.#exited.promise, this.#killed.promise]);
      if (typeof end === "string") await this.#kill(end);
      else if (end !== undefined) {
        await this.#options.onEnd?.();
        await this.#stop();
      }
      await Promise.all(pumps);
      return typeof end === "number" ? end : await this.#endedAlone();
    } finally {
      clearInterval(ticking);
      await this.#progress.clear();
      ignore();
      stdin.destroy();
    }
  }

  #showProgress(): NodeJS.Timeout {
    const startMs = performance.now();
    return setInterval(() => {
      if (this.#running) return;
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
      this.#progress.show(`${this.#options.name}: booting, ${seconds} s  ${this.#lastLine}`);
    }, PROGRESS_MS);
  }

  async #control(): Promise<void> {
    const reader = new ControlReader();
    let ended = false;
    for await (const data of this.#guest.port(ports.control)) {
      for (const event of reader.feed(data)) {
        if (event.kind === "ready") await this.#start();
        else if (ended) this.#synced.resolve();
        else this.#exited.resolve(event.code);
        ended ||= event.kind === "exit";
      }
    }
    this.#exited.resolve(undefined);
  }

  async #start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    await this.#progress.clear();
    await this.#options.onReady?.();
    const control = this.#guest.port(ports.control);
    if (this.#options.resumed === true) await control.write(controlLine.resume(Date.now()));
    await control.write(controlLine.run(this.#command));
    void this.#stdin();
  }

  async #stdin(): Promise<void> {
    const port = this.#guest.port(ports.stdin);
    try {
      for await (const chunk of this.#streams.stdin) if (!(await port.write(chunk as Uint8Array))) break;
    } catch {
      // Our input has failed or the run is over; for the command both are the end of its input.
    }
    port.end();
  }

  async #copy(name: string, output: Output): Promise<void> {
    let told = false;
    for await (const data of this.#guest.port(name)) {
      if ((await output.write(data)) || told) continue;
      // Nobody reads any more: a command on the host would get SIGPIPE now. What it still prints is thrown away.
      told = true;
      await this.#guest.port(ports.control).write(controlLine.signal("SIGPIPE"));
    }
  }

  async #console(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const data of this.#guest.console) {
      if (this.#options.showConsole) await this.#streams.stderr.write(data);
      else if (!this.#running) this.#lastLine = lastLine(this.#lastLine, decoder.decode(data, { stream: true }));
    }
  }

  #signal(name: NodeJS.Signals, again: boolean): void {
    if (again || !this.#running) this.#killed.resolve(name);
    else void this.#guest.port(ports.control).write(controlLine.signal(name));
  }

  async #stop(): Promise<void> {
    if (!this.#options.shutDown) {
      if (this.#options.sync) await this.#sync();
      return this.#guest.drain();
    }
    await this.#guest.port(ports.control).write(controlLine.poweroff());
    const overdue = setTimeout(() => void this.#guest.kill(), SHUTDOWN_MS);
    const end = await Promise.race([this.#guest.stopped, this.#killed.promise]);
    clearTimeout(overdue);
    if (typeof end === "string") await this.#kill(end);
    else if (end.reason !== "power-off") {
      await this.#streams.stderr.write("bulkhead: the guest did not shut down cleanly; its disks may need a check\n");
    }
  }

  /** One more command, after the user's. */
  async #sync(): Promise<void> {
    await this.#guest.port(ports.control).write(controlLine.run(["sync"]));
    const overdue = setTimeout(() => this.#synced.resolve(), SHUTDOWN_MS);
    const end = await Promise.race([this.#synced.promise, this.#guest.stopped, this.#killed.promise]);
    clearTimeout(overdue);
    if (typeof end === "string") await this.#kill(end);
  }

  async #kill(name: string): Promise<never> {
    await this.#guest.kill();
    throw new CliError("killed", `the machine was stopped by ${name}`);
  }

  async #endedAlone(): Promise<never> {
    reportStop(await this.#guest.stopped);
    throw new CliError("guest-stopped", "the guest powered off or restarted before the command had ended");
  }
}

/** The last line with something on it of a text that goes on. */
function lastLine(before: string, text: string): string {
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== "");
  return (lines.at(-1) ?? before).slice(0, 200);
}
