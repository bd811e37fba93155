/**
 * A raw disk image in a file. Who calls it: whoever attaches disks to a machine, having claimed the file against other
 * processes; no lock is taken here.
 */
import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { type BlockBackend, SECTOR_BYTES } from "./backend.ts";
import { DiskError } from "./disk-error.ts";

export class FileBackend implements BlockBackend {
  readonly size: number;
  readonly readOnly: boolean;
  readonly #path: string;
  readonly #fd: number;

  /** @param fd an open file, which the backend closes. @param size bytes. */
  constructor(path: string, fd: number, size: number, readOnly: boolean) {
    this.#path = path;
    this.#fd = fd;
    this.size = size;
    this.readOnly = readOnly;
  }

  read(offset: number, into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
      const bytes = readSync(this.#fd, into, done, into.length - done, offset + done);
      if (bytes === 0)
        throw new DiskError("disk-truncated", `disk ${this.#path} has become shorter than ${this.size} bytes`);
      done += bytes;
    }
  }

  write(offset: number, from: Uint8Array): void {
    for (let done = 0; done < from.length; ) {
      done += writeSync(this.#fd, from, done, from.length - done, offset + done);
    }
  }

  flush(): void {
    if (!this.readOnly) fdatasyncSync(this.#fd);
  }

  /** Makes all writes stable and gives the file up. */
  close(): void {
    try {
      this.flush();
    } finally {
      closeSync(this.#fd);
    }
  }
}

/** Opens a disk image. Errors: `DiskError` with the code for what is wrong; then nothing stays open. */
export function openDisk(path: string, { readOnly = false }: { readonly readOnly?: boolean } = {}): FileBackend {
  const fd = openFile(path, readOnly);
  try {
    return new FileBackend(path, fd, checkFile(path, fd), readOnly);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function openFile(path: string, readOnly: boolean): number {
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

function checkFile(path: string, fd: number): number {
  const stat = fstatSync(fd);
  if (!stat.isFile()) throw new DiskError("disk-unreadable", `disk ${path} is not a regular file`);
  if (stat.size === 0 || stat.size % SECTOR_BYTES !== 0) {
    const expected = `expected whole sectors of ${SECTOR_BYTES} bytes`;
    throw new DiskError("disk-truncated", `disk ${path} is truncated: ${expected}, found ${stat.size} bytes`);
  }
  return stat.size;
}
