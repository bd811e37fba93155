/**
 * Advisory locks on open files. The kernel keeps the lock with the open file, so it ends with the process however that
 * ends. Taken by the `flock` program on a descriptor it inherits, since Node has no call for it.
 */
import { spawnSync } from "node:child_process";

/** What `flock` exits with when somebody else holds the lock. */
const CONFLICT = 1;

/** False if another open file holds a conflicting lock. Without a `flock` program there is no lock, and it gives true. */
export function lockFile(fd: number, mode: "shared" | "exclusive"): boolean {
  const { status } = spawnSync("flock", ["-n", mode === "shared" ? "-s" : "-x", "3"], {
    stdio: ["ignore", "ignore", "ignore", fd],
  });
  return status !== CONFLICT;
}
