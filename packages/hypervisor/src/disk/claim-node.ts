/**
 * Claims a disk image on the host for a partition: it exists, can be opened as asked, is whole, is of a format that can
 * be used and nobody else uses it, nor changes what stands behind it. A claim is a `flock` on each open file, so that it
 * goes with the process however that ends. A disk on a server is claimed by connecting to it.
 */
import { type FileHandle, open } from "node:fs/promises";
import { formatOf, isNbdUrl, parseNbdUrl } from "@bulkhead/devices";
import { type DiskFormat, imageChain } from "@bulkhead/devices/node";
import { HostError } from "../host-error.ts";
import type { DiskDescription } from "../partition/description.ts";
import { withDisks } from "./disk-failure.ts";
import { inspectLayout, LAYOUT_BYTES, SECTOR_BYTES } from "./layout.ts";
import { lockFile } from "./lock-node.ts";

export interface DiskClaim {
  readonly disk: DiskDescription;
  /** What the image's content says where the description says nothing; undefined for a disk on a server. */
  readonly format?: DiskFormat;
  /** Of the image's file. */
  readonly bytes: number;
  /** False where this host cannot lock files: nothing keeps other processes from the disk. */
  readonly locked: boolean;
  release(): Promise<void>;
}

/**
 * Claims one disk. Errors: `file-missing`, `file-unreadable`, `disk-read-only`, `-format`, `-truncated`, `-corrupt`,
 * `-in-use`.
 */
export async function claimDisk(disk: DiskDescription): Promise<DiskClaim> {
  if (isNbdUrl(disk.path)) return claimServer(disk);
  const files: FileHandle[] = [];
  const release = async (): Promise<void> => {
    for (const file of files) await file.close();
  };
  try {
    return { ...(await claimFiles(disk, files)), release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Whether a server has the disk turns out when its thread connects. */
function claimServer(disk: DiskDescription): DiskClaim {
  withDisks(() => parseNbdUrl(disk.path));
  return { disk, bytes: 0, locked: true, release: () => Promise.resolve() };
}

async function claimFiles(disk: DiskDescription, files: FileHandle[]): Promise<Omit<DiskClaim, "release">> {
  const writes = disk.mode === "direct" && !disk.readOnly;
  const file = await openFile(disk.path, writes, files);
  const { bytes, format } = await checkDisk(disk, file, writes);
  let locked = await lockFile(disk.path, file, writes);
  if (format === "qcow2") {
    const [, ...behind] = withDisks(() => imageChain(disk.path, format));
    for (const { path } of behind) {
      const backing = await openFile(path, false, files);
      locked = (await lockFile(path, backing, false)) && locked;
    }
  }
  return { disk, format, bytes, locked };
}

async function openFile(path: string, writes: boolean, files: FileHandle[]): Promise<FileHandle> {
  const file = await openDisk(path, writes);
  files.push(file);
  return file;
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

async function checkDisk(
  { path, format }: DiskDescription,
  file: FileHandle,
  writes: boolean,
): Promise<{ bytes: number; format: DiskFormat }> {
  const stat = await file.stat();
  if (!stat.isFile()) throw notRegular(path, stat.isDirectory() ? "a directory" : "a device or pipe");
  if (writes && (stat.mode & 0o222) === 0) throw readOnly(path);
  const head = Buffer.alloc(LAYOUT_BYTES);
  const { bytesRead } = await file.read(head, 0, LAYOUT_BYTES, 0);
  const found = format ?? guess(path, head.subarray(0, bytesRead));
  if (stat.size === 0) throw truncated(path, "the file is empty");
  if (found === "raw") checkRaw(path, stat.size, head.subarray(0, bytesRead));
  return { bytes: stat.size, format: found };
}

function guess(path: string, head: Uint8Array): DiskFormat {
  const found = formatOf(head);
  if (found === "raw") return found;
  if (found.supported !== undefined) return found.supported;
  const message = `disk ${path}: expected a raw or qcow2 image, but it is ${found.name}; convert or unpack it first`;
  throw new HostError("disk-format", message);
}

function checkRaw(path: string, size: number, head: Uint8Array): void {
  const claim = inspectLayout(head);
  if (claim !== undefined && claim.bytes > size) {
    throw truncated(path, `${claim.what} needs ${claim.bytes} bytes, the file has ${size}`);
  }
  if (size % SECTOR_BYTES !== 0) {
    throw truncated(path, `expected a multiple of ${SECTOR_BYTES} bytes, the file has ${size}`);
  }
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
  new HostError("disk-format", `disk ${path}: expected a file with an image, found ${what}`, { cause });
