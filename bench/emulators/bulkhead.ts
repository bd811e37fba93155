/** Bulkhead as users start it: its command line, in a process of its own. Another checkout gives another revision. */
import { join } from "node:path";
import type { Emulator, GuestDescription } from "./emulator.ts";

/** @param root the checkout. @param name how the table calls it. @param version its revision. */
export function bulkhead(root: string, name: string, version: string): Emulator {
  const program = join(root, "packages", "bulkhead", "bin", "bulkhead.js");
  return {
    name,
    kind: "bulkhead",
    version,
    needsOwnDisks: true,
    commandLine: (guest) => ({ file: process.execPath, args: [program, ...runArguments(guest)] }),
  };
}

function runArguments(guest: GuestDescription): string[] {
  const { kernel, initrd, append, memoryMiB, cpus, disks, writtenDisks = [], network = false, share } = guest;
  const written = writtenDisks.flatMap(({ path, format }) => ["--disk", `${path},format=${format}`]);
  const allowed = network ? ["--allow", "host"] : [];
  const shared = share === undefined ? [] : ["--share", `${share}:/mnt`];
  const settings = ["--memory", String(memoryMiB), "--cpus", String(cpus)];
  const boot = ["--kernel", kernel, "--initrd", initrd, "--append", append];
  return ["run", ...settings, ...boot, ...disks.flatMap((path) => ["--disk", path]), ...written, ...allowed, ...shared];
}
