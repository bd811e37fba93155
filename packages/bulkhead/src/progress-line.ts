/**
 * One line on stderr that tells what is being waited for. On a terminal it is redrawn in place and erased at the end;
 * elsewhere, where asked for, a plain line now and then.
 */
import { stripVTControlCharacters } from "node:util";
import type { Output } from "./streams.ts";

/** Least time between two redraws, and between two plain lines. */
const REDRAW_MS = 100;
const PLAIN_MS = 5000;

export class ProgressLine {
  readonly #output: Output;
  readonly #plain: boolean;
  readonly #now: () => number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #lastText = "";
  #drawn = false;

  /** @param plain whether to write plain lines where there is no terminal; without it nothing is written there. */
  constructor(output: Output, plain: boolean, now = () => performance.now()) {
    this.#output = output;
    this.#plain = plain;
    this.#now = now;
  }

  /** Shows the text, unless the last one was shown a moment ago. */
  show(text: string): void {
    const terminal = this.#output.isTerminal;
    if (!terminal && !this.#plain) return;
    if (text === this.#lastText || this.#now() - this.#lastMs < (terminal ? REDRAW_MS : PLAIN_MS)) return;
    this.#lastMs = this.#now();
    this.#lastText = text;
    if (!terminal) void this.#output.write(`${text}\n`);
    else {
      this.#drawn = true;
      void this.#output.write(`\r\x1b[K${fit(text, this.#output.columns - 1)}`);
    }
  }

  /** Erases what is drawn. */
  async clear(): Promise<void> {
    if (this.#drawn) await this.#output.write("\r\x1b[K");
    this.#drawn = false;
    this.#lastText = "";
  }
}

/** The text without control characters, cut to a width. */
export function fit(text: string, width: number): string {
  const plain = [...stripVTControlCharacters(text)].filter((c) => c >= " " && c !== "\x7f");
  return plain.length <= width ? plain.join("") : `${plain.slice(0, Math.max(0, width - 1)).join("")}…`;
}

/** A duration as people say it: `45 s`, `2 min 05 s`, `1 h 02 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number): string => String(n).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}
