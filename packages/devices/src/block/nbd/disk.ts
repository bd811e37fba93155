/**
 * A disk on an NBD server. When the connection is lost another one is made, and what is under way is sent again. Writes
 * that were answered but not flushed are kept and sent again too, since the server may have lost them with its power:
 * a flush that succeeds covers every write before it, whatever happened in between. @spec NBD "Transmission"
 */
import { DiskError } from "../disk-error.ts";
import type { AsyncBackend, ServedRequest } from "../remote/server.ts";
import { type NbdExport, negotiate } from "./negotiate.ts";
import { Command, decodeReply, encodeRequest, errorName, REPLY_BYTES, SHUTTING_DOWN } from "./packet.ts";
import type { ByteStream } from "./stream.ts";

export interface NbdOptions {
  /** What messages call the disk. */
  readonly name: string;
  readonly exportName: string;
  readonly connect: () => Promise<ByteStream>;
  /** A server that says nothing for so long while a request waits is given up. Default: 30 s. */
  readonly answerMs?: number;
  /** How long requests wait for a connection that was lost, before they fail. Default: 60 s. */
  readonly giveUpMs?: number;
  /** Told, in a sentence, about a connection that is lost or back. */
  readonly onWarning?: (sentence: string) => void;
}

/** A request whose reply has not come. */
interface Pending {
  readonly command: number;
  readonly packet: Uint8Array;
  /** Where a read goes to. */
  readonly data?: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Unflushed writes kept to be sent again, in bytes; beyond, a flush of our own makes room. */
const MOST_KEPT_BYTES = 8 * 1024 * 1024;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;
const ZEROS = new Uint8Array(64 * 1024);

export class NbdDisk implements AsyncBackend {
  readonly #options: NbdOptions;
  readonly #export: NbdExport;
  readonly #pending = new Map<number, Pending>();
  /** Packets of writes that were answered since the last flush, in order, and how many were before them. */
  readonly #kept: Uint8Array[] = [];
  #keptBefore = 0;
  #keptBytes = 0;
  #makingRoom: Promise<void> | undefined;
  #stream: ByteStream | undefined;
  #cookie = 0;
  #heardMs = performance.now();
  #watch: ReturnType<typeof setInterval> | undefined;
  #lostMs: number | undefined;
  #closed = false;
  /** A write that was answered could not be made again: no flush may succeed any more. */
  #lostWrite: unknown;

  /** For `openNbd` only. */
  constructor(stream: ByteStream, found: NbdExport, options: NbdOptions) {
    this.#options = options;
    this.#export = found;
    this.#watch = setInterval(() => this.#checkAnswers(), Math.max(10, Math.min(this.#answerMs, this.#giveUpMs) / 4));
    this.#use(stream);
  }

  get size(): number {
    return this.#export.size;
  }

  get readOnly(): boolean {
    return this.#export.readOnly;
  }

  get canDiscard(): boolean {
    return this.#export.canTrim;
  }

  async serve(request: ServedRequest): Promise<void> {
    switch (request.kind) {
      case "read":
        await this.#ask(Command.read, request);
        return;
      case "write":
        await this.#change(Command.write, request);
        return;
      case "flush":
        await this.#flush();
        return;
      case "discard":
        if (this.#export.canTrim) await this.#inParts(Command.trim, request);
        return;
      case "writeZeroes":
        if (this.#export.canWriteZeroes) await this.#inParts(Command.writeZeroes, request);
        else await this.#writeZeros(request);
        return;
      case "resize":
        throw new DiskError("disk-format", "a disk of an NBD server is resized there");
    }
  }

  /** Makes everything stable, as far as the server still answers, and says goodbye. */
  async close(): Promise<void> {
    try {
      if (!this.readOnly) await this.#flush();
      this.#stream?.write(encodeRequest(Command.disconnect, 0));
    } finally {
      this.#closed = true;
      clearInterval(this.#watch);
      this.#stream?.close(new Error("the disk is closed"));
    }
  }

  get #answerMs(): number {
    return this.#options.answerMs ?? 30_000;
  }

  get #giveUpMs(): number {
    return this.#options.giveUpMs ?? 60_000;
  }

  #ask(command: number, request: Partial<ServedRequest> = {}): Promise<void> {
    this.#cookie = (this.#cookie + 1) >>> 0;
    return this.#send(this.#cookie, encodeRequest(command, this.#cookie, request), command, request.data);
  }

  #send(cookie: number, packet: Uint8Array, command: number, data?: Uint8Array): Promise<void> {
    if (this.#givenUp) return Promise.reject(this.#unreachable());
    return new Promise((resolve, reject) => {
      if (this.#pending.size === 0) this.#heardMs = performance.now();
      this.#pending.set(cookie, { command, packet, data, resolve, reject });
      if (this.#lostMs === undefined) this.#stream?.write(packet);
    });
  }

  /** A request that changes the disk: its packet is kept until a flush. */
  async #change(command: number, request: ServedRequest): Promise<void> {
    this.#cookie = (this.#cookie + 1) >>> 0;
    const packet = encodeRequest(command, this.#cookie, request);
    await this.#send(this.#cookie, packet, command);
    if (!this.#export.canFlush) return;
    this.#kept.push(packet);
    this.#keptBytes += packet.length;
    if (this.#keptBytes > MOST_KEPT_BYTES) await this.#makeRoom();
  }

  async #flush(): Promise<void> {
    if (!this.#export.canFlush) return;
    const covered = this.#keptBefore + this.#kept.length;
    await this.#ask(Command.flush);
    if (this.#lostWrite !== undefined) throw this.#lostWrite;
    const gone = this.#kept.splice(0, Math.max(0, covered - this.#keptBefore));
    this.#keptBefore += gone.length;
    for (const packet of gone) this.#keptBytes -= packet.length;
  }

  #makeRoom(): Promise<void> {
    this.#makingRoom ??= this.#flush().finally(() => {
      this.#makingRoom = undefined;
    });
    return this.#makingRoom;
  }

  /** A range longer than the protocol's 32 bits, or than a server does at a time, goes in parts. */
  async #inParts(command: number, request: ServedRequest): Promise<void> {
    const most = 2 ** 30;
    for (let at = 0; at < request.length; at += most) {
      const length = Math.min(most, request.length - at);
      await this.#change(command, { ...request, offset: request.offset + at, length });
    }
  }

  async #writeZeros(request: ServedRequest): Promise<void> {
    for (let at = 0; at < request.length; at += ZEROS.length) {
      const data = ZEROS.subarray(0, Math.min(ZEROS.length, request.length - at));
      await this.#change(Command.write, { ...request, offset: request.offset + at, length: data.length, data });
    }
  }

  #use(stream: ByteStream): void {
    this.#stream = stream;
    this.#heardMs = performance.now();
    this.#receive(stream).catch((reason) => this.#lose(stream, reason));
  }

  async #receive(stream: ByteStream): Promise<never> {
    for (;;) {
      const reply = decodeReply(await stream.read(REPLY_BYTES));
      const pending = reply === undefined ? undefined : this.#pending.get(reply.cookie);
      if (reply === undefined || pending === undefined) throw new Error("the server's answer makes no sense");
      this.#heardMs = performance.now();
      if (reply.error === SHUTTING_DOWN) throw new Error("the server is shutting down");
      if (reply.error === 0 && pending.data !== undefined && pending.command === Command.read) {
        pending.data.set(await stream.read(pending.data.length));
      }
      this.#pending.delete(reply.cookie);
      if (reply.error === 0) pending.resolve();
      else pending.reject(new Error(`the server of ${this.#options.name} answers: ${errorName(reply.error)}`));
    }
  }

  #checkAnswers(): void {
    const silentMs = performance.now() - this.#heardMs;
    if (this.#pending.size > 0 && this.#lostMs === undefined && silentMs > this.#answerMs) {
      this.#stream?.close(new Error(`no answer within ${this.#answerMs} ms`));
    }
    if (this.#givenUp) this.#failAll();
  }

  #lose(stream: ByteStream, reason: Error): void {
    if (this.#closed || this.#stream !== stream) return;
    stream.close(reason);
    if (this.#lostMs !== undefined) return;
    this.#lostMs = performance.now();
    this.#options.onWarning?.(`disk ${this.#options.name}: the connection is lost (${reason.message}); trying again`);
    void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; !this.#closed; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        await this.#restore(await this.#options.connect());
        return;
      } catch {
        if (this.#givenUp) this.#failAll();
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  /** Takes a connection over: first what may have been lost, one by one and in order, then what is under way. */
  async #restore(stream: ByteStream): Promise<void> {
    const watch = setTimeout(() => stream.close(new Error("no answer")), this.#answerMs);
    try {
      const found = await negotiateInTime(stream, this.#options.exportName, this.#answerMs);
      if (found.size < this.size || (found.readOnly && !this.readOnly)) throw new Error("the export has changed");
      for (const packet of this.#kept) {
        stream.write(packet);
        const reply = decodeReply(await stream.read(REPLY_BYTES));
        if (reply === undefined || reply.error === SHUTTING_DOWN) throw new Error("the server's answer makes no sense");
        if (reply.error !== 0)
          this.#lostWrite = new Error(`a write could not be made again: ${errorName(reply.error)}`);
      }
    } catch (error) {
      stream.close(error as Error);
      throw error;
    } finally {
      clearTimeout(watch);
    }
    this.#lostMs = undefined;
    this.#use(stream);
    for (const { packet } of this.#pending.values()) stream.write(packet);
    this.#options.onWarning?.(`disk ${this.#options.name}: connected again`);
  }

  get #givenUp(): boolean {
    return this.#lostMs !== undefined && performance.now() - this.#lostMs > this.#giveUpMs;
  }

  #failAll(): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(this.#unreachable());
  }

  #unreachable(): DiskError {
    return new DiskError("disk-unreachable", `the server of ${this.#options.name} cannot be reached`);
  }
}

/** How long a server may take to greet and to name its export. */
const GREETING_MS = 10_000;

/** Connects to a server. Errors: `disk-unreachable`. */
export async function openNbd(options: NbdOptions): Promise<NbdDisk> {
  const { name, exportName, onWarning, answerMs = GREETING_MS } = options;
  try {
    const stream = await options.connect();
    const found = await negotiateInTime(stream, exportName, Math.min(answerMs, GREETING_MS));
    if (found.size === 0) throw new DiskError("disk-unreachable", "its export is empty");
    if (!found.canFlush && !found.readOnly) {
      onWarning?.(`disk ${name}: the server cannot flush: a loss of its power may cost what was written`);
    }
    return new NbdDisk(stream, found, options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DiskError("disk-unreachable", `disk ${name}: the server cannot be used: ${why}`, { cause });
  }
}

/** The handshake; the connection is closed where it fails or takes too long. */
async function negotiateInTime(stream: ByteStream, exportName: string, mostMs: number): Promise<NbdExport> {
  const late = setTimeout(() => stream.close(new Error(`no answer within ${mostMs} ms`)), mostMs);
  try {
    return await negotiate(stream, exportName);
  } catch (error) {
    stream.close(error as Error);
    throw error;
  } finally {
    clearTimeout(late);
  }
}
