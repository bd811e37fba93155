/** QEMU's tools for disk images as outside witnesses. Tests that need one skip, with this reason, where it is missing. */
import { execFileSync, spawnSync } from "node:child_process";

const has = (tool: string): boolean => spawnSync(tool, ["--version"], { stdio: "ignore" }).status === 0;

/** Why a test is skipped, or false. */
export const withoutQemuImg: string | false = has("qemu-img") ? false : "no qemu-img on this host (qemu-utils)";

/** What `qemu-img` prints. Errors: it failed; the message has its output. */
export const qemuImg = (...args: string[]): string =>
  execFileSync("qemu-img", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

export interface QemuCheck {
  readonly corruptions: number;
  readonly leaks: number;
  /** What it says where it could not check. */
  readonly error?: string;
}

/** What `qemu-img check` finds. */
export function qemuCheck(path: string): QemuCheck {
  const { stdout, stderr, status } = spawnSync("qemu-img", ["check", "-f", "qcow2", "--output=json", path], {
    encoding: "utf8",
  });
  if (status !== 0 && status !== 2 && status !== 3) return { corruptions: 0, leaks: 0, error: stderr };
  const found: { corruptions?: number; leaks?: number } = JSON.parse(stdout);
  return { corruptions: found.corruptions ?? 0, leaks: found.leaks ?? 0 };
}

/** The disk's content as QEMU reads it. @param raw a file for it. */
export function qemuConvert(path: string, raw: string): void {
  qemuImg("convert", "-f", "qcow2", "-O", "raw", path, raw);
}
