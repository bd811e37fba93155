/**
 * Locks an open file for this process: exclusively for writing, else shared. `flock` (util-linux or BusyBox) locks the
 * open file it inherits, and the lock stays with our descriptor when it ends: nothing is left behind even on SIGKILL.
 */
import { spawn } from "node:child_process";
import { type FileHandle, readdir, readFile, realpath } from "node:fs/promises";
import { HostError } from "../host-error.ts";

/**
 * Takes the lock or fails with `disk-in-use`. @returns false where the host has no `flock` program: then only the
 * kernel's tables have been consulted, nothing keeps others away, and the user must be told so.
 */
export async function lockFile(path: string, file: FileHandle, exclusive: boolean): Promise<boolean> {
  const result = await flock(file.fd, exclusive);
  if (result === "conflict") throw inUse(path, "another process has locked it");
  const { dev, ino } = await file.stat();
  const table = await readFile("/proc/locks", "utf8").catch(() => "");
  if (foreignLocks(table, dev, ino, exclusive) > 0) throw inUse(path, "another process has locked it");
  const loop = exclusive ? await loopDevice(path) : undefined;
  if (loop !== undefined) throw inUse(path, `it is attached to ${loop}`);
  return result === "locked";
}

const inUse = (path: string, why: string): HostError =>
  new HostError("disk-in-use", `disk ${path}: it is in use: ${why}; stop the other user first`);

/** What `flock` exits with when somebody else holds the lock. */
const CONFLICT = 1;

/** `absent`: there is no such program, or it failed for another reason than a conflict. */
function flock(fd: number, exclusive: boolean): Promise<"locked" | "conflict" | "absent"> {
  return new Promise((resolve) => {
    const mode = exclusive ? "-x" : "-s";
    const child = spawn("flock", ["-n", mode, "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
    child.on("error", () => resolve("absent"));
    child.on("exit", (code) => resolve(code === 0 ? "locked" : code === CONFLICT ? "conflict" : "absent"));
  });
}

/**
 * Counts locks of other kinds than `flock` on a file in the text of /proc/locks. QEMU takes such locks (for reading
 * even when it writes), so all of them conflict with exclusive use, and only locks for writing with shared use.
 */
export function foreignLocks(table: string, device: number, inode: number, exclusive: boolean): number {
  const hex = (n: number): string => n.toString(16).padStart(2, "0");
  const major = Math.floor(device / 256) & 0xfff;
  const minor = (device & 0xff) | (Math.floor(device / 2 ** 20) << 8);
  const id = `${hex(major)}:${hex(minor)}:${inode}`;
  return table.split("\n").filter((line) => {
    const [, kind, , access, , where] = line.trim().split(/\s+/);
    return where === id && (kind === "OFDLCK" || kind === "POSIX") && (exclusive || access === "WRITE");
  }).length;
}

/** The loop device that a file is attached to. */
async function loopDevice(path: string): Promise<string | undefined> {
  const real = await realpath(path);
  const devices = await readdir("/sys/block").catch(() => []);
  for (const device of devices.filter((name) => name.startsWith("loop"))) {
    const backing = await readFile(`/sys/block/${device}/loop/backing_file`, "utf8").catch(() => "");
    if (backing.trim() === real) return `/dev/${device}`;
  }
  return undefined;
}
