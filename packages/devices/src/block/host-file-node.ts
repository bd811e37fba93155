/**
 * An image's file on this host. No lock is taken here: whoever attaches disks to a machine has claimed the file against
 * other processes. Who calls it: `openDisk`.
 */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  readvSync,
  writeSync,
  writevSync,
} from "node:fs";
import { DiskError } from "./disk-error.ts";
import type { ImageFile } from "./image-file.ts";
import { bytesOf } from "./pieces.ts";

/** Pieces of memory in one call; the kernel takes no more. */
const MOST_PIECES = 1024;

export class HostFile implements ImageFile {
  readonly name: string;
  readonly readOnly: boolean;
  readonly #fd: number;
  #size: number;
  #unflushed = false;
  #flushFailure: DiskError | undefined;
  #canPunch = true;

  /** @param fd an open file, which the object closes. */
  constructor(name: string, fd: number, readOnly: boolean) {
    this.name = name;
    this.#fd = fd;
    this.readOnly = readOnly;
    this.#size = fstatSync(fd).size;
  }

  /** For other threads of the process, as long as the file is open. */
  get descriptor(): number {
    return this.#fd;
  }

  get size(): number {
    return this.#size;
  }

  read(offset: number, into: Uint8Array): number {
    let done = 0;
    while (done < into.length) {
      const bytes = readSync(this.#fd, into, done, into.length - done, offset + done);
      if (bytes === 0) break;
      done += bytes;
    }
    return done;
  }

  write(offset: number, from: Uint8Array): void {
    this.#unflushed = true;
    for (let done = 0; done < from.length; ) {
      done += writeSync(this.#fd, from, done, from.length - done, offset + done);
      this.#size = Math.max(this.#size, offset + done);
    }
  }

  readPieces(offset: number, pieces: readonly Uint8Array[]): number {
    let total = 0;
    for (let first = 0; first < pieces.length; first += MOST_PIECES) {
      const some = pieces.slice(first, first + MOST_PIECES);
      const wanted = bytesOf(some);
      let done = readvSync(this.#fd, some, offset + total);
      // Less than all of it comes only at the end of a file, or seldom.
      if (done < wanted) done += this.#eachRest(some, done, (rest, at) => this.read(offset + total + at, rest));
      total += done;
      if (done < wanted) break;
    }
    return total;
  }

  writePieces(offset: number, pieces: readonly Uint8Array[]): void {
    this.#unflushed = true;
    let total = 0;
    for (let first = 0; first < pieces.length; first += MOST_PIECES) {
      const some = pieces.slice(first, first + MOST_PIECES);
      const wanted = bytesOf(some);
      const done = writevSync(this.#fd, some, offset + total);
      this.#size = Math.max(this.#size, offset + total + done);
      if (done < wanted) {
        this.#eachRest(some, done, (rest, at) => {
          this.write(offset + total + at, rest);
          return rest.length;
        });
      }
      total += wanted;
    }
  }

  /** Does what a call for many pieces has left, until one of them is not moved whole. @returns bytes moved. */
  #eachRest(pieces: readonly Uint8Array[], done: number, move: (rest: Uint8Array, at: number) => number): number {
    let at = 0;
    let moved = 0;
    for (const piece of pieces) {
      const rest = piece.subarray(Math.min(piece.length, Math.max(0, done - at)));
      const count = rest.length === 0 ? 0 : move(rest, at + piece.length - rest.length);
      moved += count;
      if (count < rest.length) break;
      at += piece.length;
    }
    return moved;
  }

  /**
   * Errors: `disk-failed`, and then for ever: after a failure the kernel may have dropped what was written, and the next
   * call would succeed without it.
   */
  flush(): void {
    if (this.#flushFailure !== undefined) throw this.#flushFailure;
    if (!this.#unflushed) return;
    try {
      fdatasyncSync(this.#fd);
    } catch (cause) {
      const message = `disk ${this.name}: the host could not make writes stable; some of them may be lost`;
      this.#flushFailure = new DiskError("disk-failed", message, { cause });
      throw this.#flushFailure;
    }
    this.#unflushed = false;
  }

  resize(bytes: number): void {
    this.#unflushed = true;
    // Somebody else may have let the file grow, and what is there then is not to be cut off.
    if (bytes < this.#size || fstatSync(this.#fd).size < bytes) ftruncateSync(this.#fd, bytes);
    this.#size = bytes;
  }

  /** By the `fallocate` program of util-linux, since Node has no call for it; without it no space is given back. */
  punch(offset: number, length: number): boolean {
    if (!this.#canPunch) return false;
    this.#unflushed = true;
    const range = ["--offset", String(offset), "--length", String(length)];
    const stdio = ["ignore", "ignore", "ignore", this.#fd] as const;
    const { status } = spawnSync("fallocate", ["--punch-hole", ...range, "/proc/self/fd/3"], { stdio: [...stdio] });
    this.#canPunch = status === 0;
    return this.#canPunch;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Opens a regular file. Errors: `DiskError` with the code for what is wrong; then nothing stays open. */
export function openHostFile(path: string, readOnly: boolean): HostFile {
  const fd = openDescriptor(path, readOnly);
  try {
    if (!fstatSync(fd).isFile()) throw new DiskError("disk-unreadable", `disk ${path} is not a regular file`);
    return new HostFile(path, fd, readOnly);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function openDescriptor(path: string, readOnly: boolean): number {
  try {
    return openSync(path, readOnly ? "r" : "r+");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    if (code === "ENOENT" || code === "ENOTDIR")
      throw new DiskError("disk-missing", `disk ${path} does not exist`, { cause });
    if (!readOnly && isReadable(path)) {
      throw new DiskError("disk-read-only", `disk ${path} cannot be opened for writing (${code})`, { cause });
    }
    throw new DiskError("disk-unreadable", `disk ${path} cannot be opened (${code})`, { cause });
  }
}

/** Whether a file can at least be read; a directory cannot. */
function isReadable(path: string): boolean {
  try {
    const fd = openSync(path, "r");
    const isFile = fstatSync(fd).isFile();
    closeSync(fd);
    return isFile;
  } catch {
    return false;
  }
}
