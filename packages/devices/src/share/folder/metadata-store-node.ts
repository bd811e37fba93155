/**
 * Metadata of a share's files, in memory and in a journal in the share's root: a line for each change, the last one of an
 * object counts. A line that is cut off or damaged is passed over, so a crash loses at most what was not synced. The
 * journal is made when there is first something to say. Other processes that use the same folder append to the same file.
 */
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { Errno, refusal } from "../errno.ts";
import { isEmpty, type Metadata, metadataKey, readRecord, writeRecord } from "./metadata.ts";
import { RESERVED } from "./names-node.ts";
import type { Identity } from "./node.ts";

const { O_RDWR, O_RDONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

/** Most bytes of all records that count: bounds memory and the journal, which is at most twice as long and a bit. */
const MOST_BYTES = 64 * 1024 * 1024;
/** What a journal may be longer than needed before it is written anew. */
const SLACK_BYTES = 1024 * 1024;
/** How often to look for what other processes have written. */
const LOOK_MS = 1000;

export class MetadataStore {
  readonly #directory: string;
  readonly #readOnly: boolean;
  readonly #records = new Map<string, Metadata>();
  readonly #sizes = new Map<string, number>();
  readonly #nowMs: () => number;
  readonly #mostBytes: number;
  /** Bytes of the records that count. */
  #bytes = 0;
  #descriptor = -1;
  /** Bytes of the journal that have been read or written. */
  #known = 0;
  /** Number of the journal's inode. */
  #ino = 0n;
  #unsynced = false;
  #lookedMs = Number.NEGATIVE_INFINITY;

  /** @param directory path of the share's root, through a held descriptor. */
  constructor(directory: string, readOnly: boolean, nowMs = () => performance.now(), mostBytes = MOST_BYTES) {
    this.#directory = directory;
    this.#readOnly = readOnly;
    this.#nowMs = nowMs;
    this.#mostBytes = mostBytes;
    this.#look();
  }

  get size(): number {
    return this.#records.size;
  }

  /** What is known of an object. */
  get(identity: Identity): Metadata | undefined {
    this.#look();
    return this.#records.size === 0 ? undefined : this.#records.get(metadataKey(identity));
  }

  /** Replaces what is known of an object. Errors: those of the host's file system, and `ENOSPC`. */
  set(identity: Identity, metadata: Metadata | undefined): void {
    this.#look();
    const key = metadataKey(identity);
    const kept = metadata === undefined || isEmpty(metadata) ? undefined : metadata;
    if (kept === undefined && !this.#records.has(key)) return;
    if (this.#readOnly) throw refusal(Errno.EROFS);
    const line = Buffer.from(writeRecord({ key, metadata: kept }), "latin1");
    const before = this.#sizes.get(key) ?? 0;
    if (kept !== undefined && this.#bytes - before + line.length > this.#mostBytes) throw refusal(Errno.ENOSPC);
    this.#append(line);
    this.#take(key, kept, line.length);
    if (this.#known > 2 * this.#bytes + SLACK_BYTES) this.#compact();
  }

  /** Returns when all that was set is on stable storage. */
  sync(): void {
    if (!this.#unsynced || this.#descriptor < 0) return;
    fdatasyncSync(this.#descriptor);
    this.#unsynced = false;
  }

  close(): void {
    if (this.#descriptor >= 0) closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  get #path(): string {
    return `${this.#directory}/${RESERVED}`;
  }

  #take(key: string, metadata: Metadata | undefined, bytes: number): void {
    this.#bytes -= this.#sizes.get(key) ?? 0;
    if (metadata === undefined) {
      this.#records.delete(key);
      this.#sizes.delete(key);
    } else {
      this.#records.set(key, metadata);
      this.#sizes.set(key, bytes);
      this.#bytes += bytes;
    }
  }

  #append(line: Uint8Array): void {
    if (this.#descriptor < 0) this.#open(O_CREAT);
    if (this.#hasMore) this.#read();
    if (this.#hasMore) {
      // A line that a crash has cut off must not become the start of this one.
      writeSync(this.#descriptor, "\n");
      this.#read();
    }
    const written = writeSync(this.#descriptor, line);
    this.#unsynced = true;
    if (written === line.length) this.#passOver(written);
    else {
      // The rest of a line that is cut off must not become the start of the next one.
      writeSync(this.#descriptor, "\n");
      throw refusal(Errno.ENOSPC);
    }
  }

  /** The journal goes on behind what is known. */
  get #hasMore(): boolean {
    return fstatSync(this.#descriptor).size > this.#known;
  }

  /** What was just written is known already, unless another process has written too: then all of it is read. */
  #passOver(bytes: number): void {
    if (fstatSync(this.#descriptor).size === this.#known + bytes) this.#known += bytes;
    else this.#read();
  }

  /** Now and then: takes over what others have written, also to a journal that has been replaced. */
  #look(): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#lookedMs < LOOK_MS) return;
    this.#lookedMs = nowMs;
    const stat = lstatSync(this.#path, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined ? this.#descriptor >= 0 : stat.ino !== this.#ino) this.#forget();
    if (stat === undefined || !stat.isFile()) return;
    if (this.#descriptor < 0) this.#open(0);
    if (Number(stat.size) !== this.#known) this.#read();
  }

  #forget(): void {
    this.close();
    this.#records.clear();
    this.#sizes.clear();
    this.#bytes = 0;
    this.#known = 0;
    this.#ino = 0n;
  }

  #open(flags: number): void {
    const access = this.#readOnly ? O_RDONLY : O_RDWR | O_APPEND | flags;
    const descriptor = openSync(this.#path, access | O_NOFOLLOW | O_NONBLOCK, 0o600);
    const stat = fstatSync(descriptor, { bigint: true });
    if (!stat.isFile()) {
      closeSync(descriptor);
      throw refusal(Errno.EIO);
    }
    this.#descriptor = descriptor;
    this.#ino = stat.ino;
    this.#read();
  }

  /** Reads the journal on from where it is known, up to its last whole line. */
  #read(): void {
    const size = fstatSync(this.#descriptor).size;
    if (size < this.#known) this.#known = 0;
    const bytes = Buffer.alloc(Math.min(size - this.#known, 4 * this.#mostBytes));
    const found = readSync(this.#descriptor, bytes, 0, bytes.length, this.#known);
    const end = bytes.subarray(0, found).lastIndexOf(0x0a) + 1;
    const text = bytes.toString("latin1", 0, end);
    this.#known += end;
    for (const line of text.split("\n")) {
      const record = line === "" ? undefined : readRecord(line);
      if (record !== undefined) this.#take(record.key, record.metadata, line.length + 1);
    }
  }

  /** Writes a journal of only what counts, and puts it in the place of the old one. Left undone if that fails. */
  #compact(): void {
    const fresh = `${this.#path}.${process.pid}`;
    let descriptor = -1;
    try {
      descriptor = openSync(fresh, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      let lines: string[] = [];
      const flush = (): void => {
        const bytes = Buffer.from(lines.join(""), "latin1");
        for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
        lines = [];
      };
      for (const [key, metadata] of this.#records) {
        lines.push(writeRecord({ key, metadata }));
        if (lines.length >= 4096) flush();
      }
      flush();
      fdatasyncSync(descriptor);
      renameSync(fresh, this.#path);
      this.close();
      const { ino, size } = fstatSync(descriptor, { bigint: true });
      this.#descriptor = descriptor;
      this.#ino = ino;
      this.#known = Number(size);
    } catch {
      if (descriptor < 0) return;
      closeSync(descriptor);
      try {
        unlinkSync(fresh);
      } catch {
        // Then it is in the way of nothing but the next attempt of a process with the same number.
      }
    }
  }
}
