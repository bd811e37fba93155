/** A guest made of plain queues, and streams that remember: what the tests of runs use instead of a machine. */
import { EventEmitter } from "node:events";
import { PassThrough, Writable } from "node:stream";
import type { Stopped } from "@bulkhead/hypervisor";
import type { GuestPort, RunningGuest } from "../running-guest.ts";
import { Output, type Streams, type Terminal } from "../streams.ts";

/** A port whose guest side the test plays. */
export class ScriptedPort implements GuestPort {
  /** What the host has written. */
  input = "";
  ended = false;
  readonly #output = new PassThrough();
  readonly #changed = new EventEmitter();

  /** The guest prints. */
  print(text: string): void {
    this.#output.write(text);
  }

  closeOutput(): void {
    this.#output.end();
  }

  /** Resolves when the host's input matches. */
  async received(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.input)) await new Promise((resolve) => this.#changed.once("change", resolve));
  }

  async inputEnded(): Promise<void> {
    while (!this.ended) await new Promise((resolve) => this.#changed.once("change", resolve));
  }

  async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for await (const chunk of this) return new Uint8Array(chunk);
    return undefined;
  }

  async write(data: Uint8Array): Promise<boolean> {
    this.input += Buffer.from(data).toString();
    this.#changed.emit("change");
    return true;
  }

  end(): void {
    this.ended = true;
    this.#changed.emit("change");
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#output[Symbol.asyncIterator]();
  }
}

export class ScriptedGuest implements RunningGuest {
  readonly console = new ScriptedPort();
  readonly stopped: Promise<Stopped>;
  readonly #ports = new Map<string, ScriptedPort>();
  readonly #stop: (stopped: Stopped) => void;
  /** How the host ended it. */
  endedBy: "drain" | "kill" | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<Stopped>();
    this.stopped = promise;
    this.#stop = resolve;
  }

  port(name: string): ScriptedPort {
    const port = this.#ports.get(name) ?? new ScriptedPort();
    this.#ports.set(name, port);
    return port;
  }

  stop(reason: Stopped["reason"], lastLines: readonly string[] = [], code = 0): void {
    for (const port of [this.console, ...this.#ports.values()]) port.closeOutput();
    this.#stop({ reason, code, lastLines });
  }

  async drain(): Promise<void> {
    this.endedBy ??= "drain";
    this.stop("killed");
  }

  async kill(): Promise<void> {
    this.endedBy ??= "kill";
    this.stop("killed");
  }
}

/** Streams of a process that the test plays: `stdin` to write to, and what came out. */
export class ScriptedStreams implements Streams {
  readonly stdin = new PassThrough() as PassThrough & Terminal;
  readonly stdout: Output;
  readonly stderr: Output;
  out = "";
  err = "";
  /** Set to make the next writes to stdout fail as they do when its reader has gone. */
  outputClosed = false;

  constructor() {
    this.stdout = new Output(
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          if (this.outputClosed) return done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
          this.out += chunk.toString();
          done();
        },
      }),
    );
    this.stderr = new Output(
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          this.err += chunk.toString();
          done();
        },
      }),
    );
  }
}
