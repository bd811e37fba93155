/** The emulators of a run: this checkout, and every QEMU at hand. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { bulkhead } from "../emulators/bulkhead.ts";
import type { Emulator } from "../emulators/emulator.ts";
import { findQemu } from "../emulators/qemu.ts";
import { BenchError } from "../error.ts";
import { unpackPrograms } from "./unpacked-packages.ts";

const PROGRAM = "qemu-system-riscv64";
/** The version in the Debian release that the guests come from: fetched where the host has none so new. */
const WANTED_MAJOR = 10;

export interface EmulatorsWanted {
  readonly cache: string;
  /** Commands that start a QEMU; without any, the host's own and Debian's are found. */
  readonly qemu: readonly string[];
  onProgress(text: string): void;
  /** Hears why fewer emulators take part than could. */
  onWarning(text: string): void;
}

/** This checkout's revision, as git describes it. */
export function revisionOf(root: string): string {
  const { status, stdout } = spawnSync("git", ["-C", root, "describe", "--always", "--dirty"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : "unknown";
}

/** Bulkhead as it is in this checkout. */
export function thisBulkhead(name: string): Emulator {
  const root = join(import.meta.dirname, "..", "..");
  return bulkhead(root, name, revisionOf(root));
}

/** Every QEMU that takes part, each version once. Errors: `tool-missing` where there is none. */
export async function findQemus(wanted: EmulatorsWanted): Promise<Emulator[]> {
  const found = wanted.qemu.length > 0 ? wanted.qemu.map(namedQemu) : await usualQemus(wanted);
  return found.filter((each, index) => found.findIndex(({ name }) => name === each.name) === index);
}

function namedQemu(command: string): Emulator {
  const qemu = findQemu([command]);
  if (qemu !== undefined) return qemu;
  throw new BenchError("tool-missing", `--qemu ${command}: there is no QEMU that starts by this name`);
}

async function usualQemus(wanted: EmulatorsWanted): Promise<Emulator[]> {
  const own = findQemu([PROGRAM]);
  if (own !== undefined && majorOf(own) >= WANTED_MAJOR) return [own];
  try {
    const fetched = await fetchedQemu(wanted.cache, wanted.onProgress);
    return own === undefined ? [fetched] : [own, fetched];
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    if (own === undefined) throw new BenchError("tool-missing", `no QEMU here, and none fetched: ${why}`, { cause });
    wanted.onWarning(`only ${own.name} takes part: ${why}`);
    return [own];
  }
}

const majorOf = ({ name }: Emulator): number => Number(/\d+/.exec(name)?.[0]);

/** Debian's QEMU, run from the cache. */
export async function fetchedQemu(cache: string, onProgress: (text: string) => void): Promise<Emulator> {
  const packages = ["qemu-system-riscv"];
  const tools = await unpackPrograms({ name: "qemu", packages, cache, onProgress });
  const qemu = findQemu([...tools.command(`usr/bin/${PROGRAM}`), "-L", join(tools.root, "usr", "share", "qemu")]);
  if (qemu === undefined) throw new BenchError("tool-missing", `the QEMU in ${tools.root} does not start`);
  return qemu;
}
