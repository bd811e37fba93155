/**
 * Claims a disk image on the host for a partition: it exists, can be opened as asked, is whole, is raw and nobody else
 * uses it. The claim is a `flock` on an open file, so that it goes with the process however that ends.
 */
import { type FileHandle, open } from "node:fs/promises";
import { HostError } from "../host-error.ts";
import type { DiskDescription } from "../partition/description.ts";
import { inspectLayout, LAYOUT_BYTES, SECTOR_BYTES } from "./layout.ts";
import { lockFile } from "./lock-node.ts";

export interface DiskClaim {
  readonly disk: DiskDescription;
  readonly bytes: number;
  /** False where this host cannot lock files: nothing keeps other processes from the disk. */
  readonly locked: boolean;
  release(): Promise<void>;
}

/** Claims one disk. Errors: `file-missing`, `file-unreadable`, `disk-read-only`, `-format`, `-truncated`, `-in-use`. */
export async function claimDisk(disk: DiskDescription): Promise<DiskClaim> {
  const writes = disk.mode === "direct" && !disk.readOnly;
  const file = await openDisk(disk.path, writes);
  try {
    const bytes = await checkDisk(disk.path, file, writes);
    const locked = await lockFile(disk.path, file, writes);
    return { disk, bytes, locked, release: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openDisk(path: string, writes: boolean): Promise<FileHandle> {
  try {
    return await open(path, writes ? "r+" : "r");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new HostError("file-missing", `disk ${path}: there is no such file`, { cause });
    }
    if (code === "EISDIR") throw notRegular(path, "a directory", cause);
    if (writes && (code === "EACCES" || code === "EPERM" || code === "EROFS")) throw readOnly(path, cause);
    throw new HostError("file-unreadable", `disk ${path}: cannot be opened (${code ?? String(cause)})`, { cause });
  }
}

async function checkDisk(path: string, file: FileHandle, writes: boolean): Promise<number> {
  const stat = await file.stat();
  if (!stat.isFile()) throw notRegular(path, stat.isDirectory() ? "a directory" : "a device or pipe");
  if (writes && (stat.mode & 0o222) === 0) throw readOnly(path);
  const head = Buffer.alloc(LAYOUT_BYTES);
  const { bytesRead } = await file.read(head, 0, LAYOUT_BYTES, 0);
  const { foreign, claim } = inspectLayout(head.subarray(0, bytesRead));
  if (foreign !== undefined) {
    throw new HostError(
      "disk-format",
      `disk ${path}: expected a raw image, but it is ${foreign}; convert or unpack it first`,
    );
  }
  if (stat.size === 0) throw truncated(path, "the file is empty");
  if (claim !== undefined && claim.bytes > stat.size) {
    throw truncated(path, `${claim.what} needs ${claim.bytes} bytes, the file has ${stat.size}`);
  }
  if (stat.size % SECTOR_BYTES !== 0) {
    throw truncated(path, `expected a multiple of ${SECTOR_BYTES} bytes, the file has ${stat.size}`);
  }
  return stat.size;
}

const truncated = (path: string, why: string): HostError =>
  new HostError("disk-truncated", `disk ${path}: the image is truncated: ${why}`);

const readOnly = (path: string, cause?: unknown): HostError =>
  new HostError(
    "disk-read-only",
    `disk ${path}: a disk is attached for writing, but this file is read-only; allow writing or use a copy`,
    { cause },
  );

const notRegular = (path: string, what: string, cause?: unknown): HostError =>
  new HostError("disk-format", `disk ${path}: expected a file with a raw image, found ${what}`, { cause });
