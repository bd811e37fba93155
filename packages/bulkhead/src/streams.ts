/** The process's own input and output, made so that a slow or vanished reader never blocks or breaks the program. */
import { fstatSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";

export interface Terminal extends Readable {
  isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
}

/** What a run reads from and writes to. */
export interface Streams {
  readonly stdin: Terminal;
  readonly stdout: Output;
  readonly stderr: Output;
}

/** A writable with backpressure, and with the loss of its reader as a value. */
export class Output {
  readonly #stream: Writable;
  #broken = false;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on("error", () => {
      this.#broken = true;
    });
  }

  get isTerminal(): boolean {
    return (this.#stream as { isTTY?: boolean }).isTTY === true;
  }

  /** Width in characters; 80 where there is no terminal. */
  get columns(): number {
    return (this.#stream as { columns?: number }).columns || 80;
  }

  /** Height in lines, of a terminal. */
  get rows(): number | undefined {
    return (this.#stream as { rows?: number }).rows;
  }

  /** Resolves when the bytes are with the operating system; false when nobody will read them (EPIPE). */
  write(data: Uint8Array | string): Promise<boolean> {
    if (this.#broken) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#stream.write(data, (error) => resolve(error === null || error === undefined));
    });
  }
}

/** Descriptor 1 or 2. Node writes to pipes synchronously, so that a stuck reader would stop signals from being handled. */
function output(descriptor: 1 | 2): Output {
  const stat = fstatSync(descriptor);
  if (stat.isFIFO() || stat.isSocket())
    return new Output(new Socket({ fd: descriptor, readable: false, writable: true }));
  return new Output(descriptor === 1 ? process.stdout : process.stderr);
}

/** The process's streams. Made once, before anything is written. */
export const processStreams = (): Streams => ({ stdin: process.stdin, stdout: output(1), stderr: output(2) });
