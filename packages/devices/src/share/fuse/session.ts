/**
 * The serving side of FUSE: reads a request, asks a file system, writes the answer. It keeps only what INIT settled and the
 * lists of open directories. Whatever a guest sends ends in an answer. Who calls it: `VirtioFs`.
 * @spec fuse.h; Linux Documentation/filesystems/fuse
 */
import { Errno, errnoOf, refusal } from "../errno.ts";
import { clearViews, type Exchange, fillViews } from "../exchange.ts";
import type { FileSystem } from "../file-system.ts";
import { DirectoryHandles } from "./directories.ts";
import { answerInit, MAX_TRANSFER_BYTES } from "./init.ts";
import { isReadOnlyOperation, operations, type Work } from "./operations.ts";
import { O_APPEND, Opcode, OUT_HEADER_BYTES, WRITE_IN_BYTES, WriteFlag } from "./protocol.ts";
import { FuseReply, type Validity } from "./reply.ts";
import { FuseRequest } from "./request.ts";

/** How much a guest may rely on what it has been told. */
export type CachePolicy = "none" | "auto" | "always";

const DAY_MS = 86_400_000;
const validities: Readonly<Record<CachePolicy, Validity>> = {
  none: { entryMs: 0, attributesMs: 0 },
  auto: { entryMs: 1000, attributesMs: 1000 },
  always: { entryMs: DAY_MS, attributesMs: DAY_MS },
};

/** Largest answer besides the data of READ: an extended attribute, or a page of a directory. */
const REPLY_BYTES = OUT_HEADER_BYTES + 64 * 1024 + 512;

export class FuseSession {
  readonly #files: FileSystem;
  readonly #cache: CachePolicy;
  readonly #request = new FuseRequest();
  readonly #reply = new FuseReply(REPLY_BYTES);
  readonly #work: Work;
  #ready = false;

  constructor(files: FileSystem, cache: CachePolicy = "auto") {
    this.#files = files;
    this.#cache = cache;
    this.#work = {
      files,
      request: this.#request,
      reply: this.#reply,
      validity: validities[cache],
      directories: new DirectoryHandles(),
      room: 0,
    };
  }

  /** INIT has been answered. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Serves one request. @returns what is wrong, in a sentence, if it cannot even be answered. Never throws. */
  serve(exchange: Exchange): string | undefined {
    const request = this.#request;
    const length = exchange.readable;
    if (!request.readHeader(exchange)) return "a FUSE request lacks its header";
    const { opcode } = request;
    if (opcode === Opcode.forget || opcode === Opcode.batchForget) {
      this.#forget(exchange);
      return undefined;
    }
    if (opcode === Opcode.interrupt) return undefined;
    if (exchange.writable < OUT_HEADER_BYTES) return "a FUSE request has no room for an answer";
    try {
      if (request.declared !== length) throw refusal(Errno.EINVAL);
      if (opcode === Opcode.read) this.#read(exchange);
      else if (opcode === Opcode.write) this.#write(exchange);
      else this.#perform(exchange);
    } catch (error) {
      this.#answer(exchange, errnoOf(error));
    }
    return undefined;
  }

  /** The guest was reset, or has unmounted. */
  reset(): void {
    this.#ready = false;
    this.#work.directories.clear();
    this.#files.reset();
  }

  /** After a restore, when the guest will not say INIT again. */
  resume(): void {
    this.#ready = true;
  }

  #perform(exchange: Exchange): void {
    const request = this.#request;
    request.readArguments(exchange, exchange.readable);
    this.#reply.start();
    if (request.opcode === Opcode.init) this.#init();
    else if (request.opcode === Opcode.destroy) this.reset();
    else {
      this.#expectReady();
      const operation = operations.get(request.opcode);
      if (operation === undefined) throw refusal(Errno.ENOSYS);
      if (this.#files.readOnly && !isReadOnlyOperation(request.opcode)) throw refusal(Errno.EROFS);
      this.#work.room = Math.min(exchange.writable, REPLY_BYTES) - OUT_HEADER_BYTES;
      operation(this.#work);
    }
    if (this.#reply.length > exchange.writable) throw refusal(Errno.EINVAL);
    this.#answer(exchange, 0);
  }

  #init(): void {
    this.#work.directories.clear();
    this.#files.reset();
    answerInit(this.#request, this.#reply, this.#cache === "always");
    this.#ready = true;
  }

  #read(exchange: Exchange): void {
    this.#expectReady();
    const request = this.#request;
    request.readArguments(exchange, exchange.readable);
    request.skip(8);
    const offset = expectOffset(request.u64());
    const size = Math.min(request.u32(), exchange.writable - OUT_HEADER_BYTES, MAX_TRANSFER_BYTES);
    const head = exchange.writeViews(OUT_HEADER_BYTES);
    const data = exchange.writeViews(size);
    let found = 0;
    let errno = 0;
    try {
      found = this.#files.read(request.node, offset, data);
    } catch (error) {
      errno = errnoOf(error);
    }
    clearViews(data, found);
    this.#reply.start();
    fillViews(head, this.#reply.finish(request.uniqueLow, request.uniqueHigh, errno, found));
  }

  #write(exchange: Exchange): void {
    this.#expectReady();
    if (this.#files.readOnly) throw refusal(Errno.EROFS);
    const request = this.#request;
    request.readArguments(exchange, WRITE_IN_BYTES);
    request.skip(8);
    const offset = expectOffset(request.u64());
    const size = request.u32();
    const writeFlags = request.u32();
    request.skip(8);
    const openFlags = request.u32();
    if (size > exchange.readable || size > MAX_TRANSFER_BYTES) throw refusal(Errno.EINVAL);
    const written = this.#work.files.write(request.node, offset, exchange.readViews(size), {
      append: (openFlags & O_APPEND) !== 0 && (writeFlags & WriteFlag.cache) === 0,
      killPrivileges: (writeFlags & WriteFlag.killPrivileges) !== 0,
    });
    this.#reply.start();
    this.#reply.u32(written);
    this.#reply.u32(0);
    if (this.#reply.length > exchange.writable) throw refusal(Errno.EINVAL);
    this.#answer(exchange, 0);
  }

  /** Has no answer, and nothing in it can be wrong enough to matter. */
  #forget(exchange: Exchange): void {
    const request = this.#request;
    try {
      request.readArguments(exchange, exchange.readable);
      if (request.opcode === Opcode.forget) this.#files.forget(request.node, request.u64());
      else {
        const count = request.u32();
        request.skip(4);
        for (let i = 0; i < count && request.left >= 16; i++) this.#files.forget(request.u64(), request.u64());
      }
    } catch {
      // Too long or too short: what was complete has been forgotten.
    }
  }

  #expectReady(): void {
    if (!this.#ready) throw refusal(Errno.EIO);
  }

  #answer(exchange: Exchange, errno: number): void {
    const { uniqueLow, uniqueHigh } = this.#request;
    const bytes = this.#reply.finish(uniqueLow, uniqueHigh, errno);
    fillViews(exchange.writeViews(bytes.length), bytes);
  }
}

function expectOffset(offset: number): number {
  if (!Number.isSafeInteger(offset)) throw refusal(Errno.EFBIG);
  return offset;
}
