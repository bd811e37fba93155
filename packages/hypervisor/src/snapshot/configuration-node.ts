/**
 * What a machine and a snapshot have to agree in. Disks that are not part of a snapshot have to be the very files that they were.
 * Who calls it: a partition's owner, when it saves and before it restores.
 */
import { statSync } from "node:fs";
import { isNbdUrl } from "@bulkhead/devices";
import { HostError } from "../host-error.ts";
import type { DiskDescription, PartitionDescription } from "../partition/description.ts";
import type { SnapshotMeta } from "./format.ts";

/** Settings by name, as they are shown to the user. */
export type Configuration = SnapshotMeta["configuration"];

/** Errors: `snapshot-failed` for a machine that cannot be saved. */
export function configurationOf(description: PartitionDescription): Configuration {
  const { memoryMiB, cpus, boot, disks, networks = [], ports } = description;
  return {
    memory: `${memoryMiB} MiB`,
    CPUs: String(cpus),
    start: "firmware" in boot ? "firmware" : "kernel",
    ports: ports.join(" ") || "none",
    networks: networks.map(({ mtu = 1500 }) => `MTU ${mtu}`).join(", ") || "none",
    "number of disks": String(disks.length),
    ...Object.fromEntries(disks.map((disk, index) => [`disk ${index}`, diskText(disk)])),
  };
}

function diskText({ path, readOnly, mode }: DiskDescription): string {
  const refuse = (why: string, cause?: unknown): never => {
    throw new HostError("snapshot-failed", `disk ${path}: it cannot be part of a snapshot: ${why}`, { cause });
  };
  if (isNbdUrl(path)) refuse("it is on a server");
  if (mode === "direct" && !readOnly) refuse("the guest writes to its file; attach it as an overlay");
  try {
    const { size, mtimeNs } = statSync(path, { bigint: true });
    const changed = new Date(Number(mtimeNs / 1_000_000n)).toISOString();
    return `${readOnly ? "read-only" : "overlay on"} a file of ${size} bytes, changed ${changed} (${mtimeNs % 1_000_000n})`;
  } catch (cause) {
    return refuse("its file cannot be found", cause);
  }
}

/** Errors: `snapshot-mismatch`, with every setting that differs. */
export function checkConfiguration(path: string, wanted: Configuration, saved: Configuration): void {
  const names = new Set([...Object.keys(wanted), ...Object.keys(saved)]);
  const differences = [...names]
    .filter((name) => wanted[name] !== saved[name])
    .map((name) => `${name}: expected ${saved[name] ?? "none"}, found ${wanted[name] ?? "none"}`);
  if (differences.length === 0) return;
  throw new HostError("snapshot-mismatch", `snapshot ${path} is of another machine: ${differences.join("; ")}`);
}
