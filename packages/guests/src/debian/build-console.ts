// Reads the console of the guest that builds a disk: its own lines, and dpkg's, become progress and a verdict.
// The lines are printed by build.sh; called by debian/image.ts.

const SECTOR_BYTES = 512;
/** Only this much of the console is kept for a failure's log. */
const MOST_LOG_CHARACTERS = 64 * 1024;

/** What a line means. */
export type BuildEvent =
  | { kind: "step"; name: string }
  | { kind: "read"; bytes: number }
  | { kind: "unpacking"; name: string }
  | { kind: "setting-up"; name: string }
  | { kind: "failed"; why: string }
  | { kind: "done" };

/** The meaning of one line, if it has one. */
export function readLine(line: string): BuildEvent | undefined {
  const own = /bulkhead-build: (\S+) ?(.*)$/.exec(line);
  if (own !== null) {
    const [, verb, rest = ""] = own;
    if (verb === "step") return { kind: "step", name: rest };
    if (verb === "sectors") return { kind: "read", bytes: Number(rest) * SECTOR_BYTES };
    if (verb === "failed:") return { kind: "failed", why: rest };
    if (verb === "done") return { kind: "done" };
    return undefined;
  }
  const dpkg = /^(Unpacking|Setting up) ([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9]+)? \(/.exec(line);
  if (dpkg === null) return undefined;
  return { kind: dpkg[1] === "Unpacking" ? "unpacking" : "setting-up", name: dpkg[2] as string };
}

/** Collects a console's bytes into lines and keeps its end. */
export class BuildConsole {
  readonly #hear: (event: BuildEvent) => void;
  readonly #decoder = new TextDecoder();
  #rest = "";
  #log = "";
  failure: string | undefined;
  done = false;

  constructor(hear: (event: BuildEvent) => void) {
    this.#hear = hear;
  }

  take(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes, { stream: true });
    this.#log = (this.#log + text).slice(-MOST_LOG_CHARACTERS);
    const lines = (this.#rest + text).split(/\r*\n/);
    this.#rest = (lines.pop() ?? "").slice(-4096);
    for (const line of lines) {
      const event = readLine(line);
      if (event === undefined) continue;
      if (event.kind === "failed") this.failure ??= event.why;
      if (event.kind === "done") this.done = true;
      this.#hear(event);
    }
  }

  /** The last part of the console. */
  get log(): string {
    return this.#log;
  }

  /** The last line with anything on it, for a sentence about a guest that stopped. */
  get lastLine(): string {
    const lines = this.#log.split(/\r*\n/).filter((line) => line.trim() !== "");
    return lines.at(-1)?.trim() ?? "";
  }
}
