/**
 * A run without a command: the guest's serial console on this terminal. It ends when the guest powers off or when the
 * user presses Ctrl-]. Input that is no terminal is typed in when the guest waits for it; its end does not end the guest.
 */
import { CliError } from "./failure.ts";
import { PromptWatch } from "./prompt-watch.ts";
import { LEAVE_KEY, rawTerminal } from "./raw-terminal.ts";
import { reportStop } from "./report-stop.ts";
import type { RunningGuest } from "./running-guest.ts";
import { onSignals } from "./signals.ts";
import type { Output, Streams } from "./streams.ts";

/** Resolves with the exit code. Errors: `guest-panic`, `guest-stuck`, `killed`. */
export async function runConsole(guest: RunningGuest, streams: Streams): Promise<number> {
  const left = Promise.withResolvers<"left" | NodeJS.Signals>();
  const restore = rawTerminal(streams.stdin);
  const ignore = onSignals((name) => left.resolve(name));
  const prompt = new PromptWatch();
  try {
    const output = printConsole(guest, streams.stdout, prompt, () => left.resolve("SIGPIPE"));
    void typeInput(guest, streams, prompt.ready, () => left.resolve("left"));
    const end = await Promise.race([guest.stopped, left.promise]);
    if (typeof end !== "string") {
      await output;
      return reportStop(end);
    }
    await guest.kill();
    if (end === "left") return 0;
    throw new CliError("killed", `the machine was stopped by ${end}`);
  } finally {
    ignore();
    restore();
    prompt.stop();
    streams.stdin.destroy();
  }
}

async function printConsole(
  guest: RunningGuest,
  stdout: Output,
  prompt: PromptWatch,
  unread: () => void,
): Promise<void> {
  for await (const data of guest.console) {
    prompt.feed(data);
    if (!(await stdout.write(data))) unread();
  }
}

async function typeInput(
  guest: RunningGuest,
  { stdin }: Streams,
  welcome: Promise<void>,
  leave: () => void,
): Promise<void> {
  const terminal = stdin.isTTY === true;
  if (!terminal) await welcome;
  try {
    for await (const chunk of stdin) {
      const data = chunk as Uint8Array;
      const at = terminal ? data.indexOf(LEAVE_KEY) : -1;
      await guest.console.write(at < 0 ? data : data.subarray(0, at));
      if (at >= 0) return leave();
    }
  } catch {
    // The terminal has gone, or the run is over and has closed it.
  }
}
