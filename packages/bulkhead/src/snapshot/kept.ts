/**
 * The snapshot that runs of an image share: the first one boots and keeps it, later ones go on from it. One for each image,
 * configuration and version of this program. Who calls it: `bulkhead run` with a command.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { HostError, type PartitionDescription } from "@bulkhead/hypervisor";
import { type NetworkRequest, usualNetworks } from "../network/request.ts";
import type { RunOptions } from "../options.ts";

const DIRECTORY = "snapshots";
const SUFFIX = ".snapshot";
/** Snapshots of one image that are kept: others, the oldest first, make room. */
const MOST_KEPT = 4;
/** What a killed process has left half-made is removed when it is so old. */
const STALE_MS = 3_600_000;

/** A description apart from what differs between any two runs. */
function stable(description: PartitionDescription): unknown {
  const { scratch: _, networks = [], boot, disks, ...rest } = description;
  const files = [
    ...Object.entries(boot).filter(([name]) => name !== "append"),
    ...disks.map(({ path }) => ["disk", path]),
  ];
  const stamps = files.map(([what, path]) => [what, path, stamp(path)]);
  return { ...rest, networks: networks.map(({ mtu }) => mtu ?? null), append: boot.append, disks, stamps };
}

function stamp(path: string): string {
  const { ino, size, mtimeNs } = statSync(path, { bigint: true });
  return [ino, size, mtimeNs].join("-");
}

/** Whether a guest that was saved with these networks can go on with the same address on other ones: each has its own NAT. */
const isolated = (networks: readonly NetworkRequest[]): boolean =>
  networks.every(({ kind }) => kind === "nat" || kind === "none");

/**
 * Where the snapshot for a run is or goes; undefined where a run cannot use one: it writes to the host, shares a network or
 * folders with it, or starts something else than the image. @param version of the program. @param cache directory of images.
 */
export function keptSnapshot(
  image: string,
  options: RunOptions,
  description: PartitionDescription,
  version: string,
  cache: string,
): string | undefined {
  const { snapshot = true, disk, kernel, initrd, firmware, persist, share = [], vsock, profile, balloon } = options;
  const other = [kernel, initrd, firmware, persist, vsock, profile, balloon].some((value) => value !== undefined);
  if (!snapshot || other || disk.length > 0 || share.length > 0) return undefined;
  if (!isolated(options.network ?? usualNetworks)) return undefined;
  const key = createHash("sha256").update(JSON.stringify([version, process.version, stable(description)]));
  return join(cache, DIRECTORY, `${image}-${key.digest("hex").slice(0, 16)}${SUFFIX}`);
}

/** Makes room for a snapshot that is about to be taken. Errors: those of the file system. */
export function makeRoom(path: string, image: string): void {
  const directory = join(path, "..");
  mkdirSync(directory, { recursive: true });
  const now = Date.now();
  const files = readdirSync(directory).map((name) => ({ name, changedMs: changed(join(directory, name)) }));
  for (const { name, changedMs } of files) {
    if (name.includes(".partial-") && now - changedMs > STALE_MS) remove(join(directory, name));
  }
  const kept = files
    .filter(({ name }) => isOf(name, image) && join(directory, name) !== path)
    .sort((a, b) => b.changedMs - a.changedMs);
  for (const { name } of kept.slice(MOST_KEPT - 1)) forget(join(directory, name));
}

/** Removes every snapshot of an image. */
export function forgetImage(image: string, cache: string): void {
  const directory = join(cache, DIRECTORY);
  try {
    for (const name of readdirSync(directory)) if (isOf(name, image)) forget(join(directory, name));
  } catch {
    // There is none.
  }
}

/** Removes a snapshot with what belongs to it. */
export function forget(path: string): void {
  remove(path);
  remove(`${path}.checked`);
  remove(`${path}.warm`);
}

/** Whether a run that fails so should boot instead: the snapshot is at fault. */
export const isUnusable = (error: unknown): boolean => error instanceof HostError && error.code.startsWith("snapshot-");

const isOf = (name: string, image: string): boolean =>
  name.startsWith(`${image}-`) && /^[0-9a-f]{16}\.snapshot$/.test(name.slice(image.length + 1));

function changed(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

const remove = (path: string): void => rmSync(path, { force: true });
