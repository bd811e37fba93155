/**
 * The control protocol between host and guest: ASCII lines on the port `bulkhead.control`. The guest says `ready` and
 * `exit N`; the host says `run`, `signal` and `poweroff`. What the guest sends is not trusted.
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

const encode = (line: string): Uint8Array => new TextEncoder().encode(`${line}\n`);

/** What the host sends. */
export const controlLine = {
  /** @param before a text for the guest's shell that comes before the command. */
  run: (command: readonly string[], before = ""): Uint8Array =>
    encode(`run ${Buffer.from(`${before}\n${quoteCommand(command)}`.trimStart(), "utf8").toString("base64")}`),
  /** @param name as Node has it, `SIGINT`. */
  signal: (name: string): Uint8Array => encode(`signal ${name.replace(/^SIG/, "")}`),
  poweroff: (): Uint8Array => encode("poweroff"),
} as const;
