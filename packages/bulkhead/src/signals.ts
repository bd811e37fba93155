/**
 * Signals sent to this process. One that arrives twice at once counts once: a terminal sends Ctrl-C to every process
 * of the group, and npm forwards it again. One that is repeated within a moment means that the user insists.
 */
import { forwardedSignals } from "./control.ts";

/** Repetitions closer than this are the same keystroke; those closer than `INSIST_MS` are insistence. */
const ECHO_MS = 60;
const INSIST_MS = 1500;

/** Tells keystrokes from echoes. `none`: an echo; `first`: on its own; `again`: the user insists. */
export class SignalFilter {
  readonly #last = new Map<string, number>();

  accept(name: string, nowMs: number): "none" | "first" | "again" {
    const sinceMs = nowMs - (this.#last.get(name) ?? Number.NEGATIVE_INFINITY);
    if (sinceMs < ECHO_MS) return "none";
    this.#last.set(name, nowMs);
    return sinceMs < INSIST_MS ? "again" : "first";
  }
}

/** Listens to the signals of `forwardedSignals`. @returns what stops listening. */
export function onSignals(listener: (name: NodeJS.Signals, again: boolean) => void): () => void {
  const filter = new SignalFilter();
  const handle = (name: NodeJS.Signals): void => {
    const accepted = filter.accept(name, performance.now());
    if (accepted !== "none") listener(name, accepted === "again");
  };
  for (const name of forwardedSignals) process.on(name, handle);
  return () => {
    for (const name of forwardedSignals) process.off(name, handle);
  };
}
