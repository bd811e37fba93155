/**
 * The control protocol between host and guest: ASCII lines on the port `bulkhead.control`. The guest says `ready` and
 * `exit N`; the host says `run` or `exec`, `resume`, `signal` and `poweroff`. What the guest sends is not trusted.
 */
import { quoteCommand } from "./shell-quote.ts";

export const ports = {
  control: "bulkhead.control",
  stdin: "bulkhead.stdin",
  stdout: "bulkhead.stdout",
  stderr: "bulkhead.stderr",
} as const;

/** Signals that are passed on to the guest's command. */
export const forwardedSignals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

export type ControlEvent = { readonly kind: "ready" } | { readonly kind: "exit"; readonly code: number };

/** Longest line taken from a guest, in bytes; a longer one is dropped as a whole. */
const MAX_LINE = 256;

/** Splits what a guest sends into events. Anything that is not in the protocol is ignored. */
export class ControlReader {
  #line = "";
  #tooLong = false;

  *feed(bytes: Uint8Array): Generator<ControlEvent> {
    for (const byte of bytes) {
      if (byte !== 0x0a) this.#take(byte);
      else {
        const event = this.#tooLong ? undefined : parseLine(this.#line);
        this.#line = "";
        this.#tooLong = false;
        if (event !== undefined) yield event;
      }
    }
  }

  #take(byte: number): void {
    if (this.#line.length >= MAX_LINE) this.#tooLong = true;
    else this.#line += String.fromCharCode(byte);
  }
}

function parseLine(text: string): ControlEvent | undefined {
  const line = text.replace(/\r$/, "");
  if (line === "ready") return { kind: "ready" };
  const exit = /^exit (\d{1,3})$/.exec(line);
  const code = Number(exit?.[1]);
  return exit !== null && code <= 255 ? { kind: "exit", code } : undefined;
}

/** Text that a line carries unchanged. */
const PLAIN = /^[\x20-\x7e]{1,1000}$/;

const encode = (line: string): Uint8Array => new TextEncoder().encode(`${line}\n`);

/** What the host sends. */
export const controlLine = {
  /** As it is where it fits into a line: the guest has to start nothing to decode it. */
  run: (command: readonly string[]): Uint8Array => {
    const text = quoteCommand(command);
    return encode(PLAIN.test(text) ? `exec ${text}` : `run ${Buffer.from(text, "utf8").toString("base64")}`);
  },
  /** The guest goes on from a snapshot. @param unixMs the time now. */
  resume: (unixMs: number): Uint8Array => encode(`resume ${(unixMs / 1000).toFixed(3)}`),
  /** @param name as Node has it, `SIGINT`. */
  signal: (name: string): Uint8Array => encode(`signal ${name.replace(/^SIG/, "")}`),
  poweroff: (): Uint8Array => encode("poweroff"),
} as const;
