/**
 * Locks an open file for this process: exclusively for writing, else shared. `flock` (util-linux or BusyBox) locks the
 * open file it inherits, and the lock stays with our descriptor when it ends: nothing is left behind even on SIGKILL.
 */
import { spawn } from "node:child_process";
import { type FileHandle, readdir, readFile, realpath } from "node:fs/promises";
import { HostError } from "../host-error.ts";

/** Takes the lock or fails with `disk-in-use`. Without a `flock` program only the kernel's tables are consulted. */
export async function lockFile(path: string, file: FileHandle, exclusive: boolean): Promise<void> {
  if (!(await flock(file.fd, exclusive))) throw inUse(path, "another process has locked it");
  const { dev, ino } = await file.stat();
  const table = await readFile("/proc/locks", "utf8").catch(() => "");
  if (foreignLocks(table, dev, ino, exclusive) > 0) throw inUse(path, "another process has locked it");
  const loop = exclusive ? await loopDevice(path) : undefined;
  if (loop !== undefined) throw inUse(path, `it is attached to ${loop}`);
}

const inUse = (path: string, why: string): HostError =>
  new HostError("disk-in-use", `disk ${path}: it is in use: ${why}; stop the other user first`);

/** False when somebody else holds a conflicting lock. */
function flock(fd: number, exclusive: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const mode = exclusive ? "-x" : "-s";
    const child = spawn("flock", ["-n", mode, "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
    child.on("error", () => resolve(true));
    child.on("exit", (code) => resolve(code !== 1));
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
