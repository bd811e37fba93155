/**
 * Notices when a raw disk's file has grown while a guest uses it, as by `truncate -s +1G disk.img`. Who calls it: the
 * partition, which tells the guest.
 */
import { stat } from "node:fs/promises";
import { SECTOR_BYTES } from "@bulkhead/devices";
import type { DiskDescription } from "../partition/description.ts";

const INTERVAL_MS = 1000;

/** Watches the disks that are raw files and used directly; keeps no process alive. @returns what ends it. */
export function watchSizes(
  disks: readonly DiskDescription[],
  sizes: readonly number[],
  onGrowth: (index: number, bytes: number) => void,
): () => void {
  const known = [...sizes];
  const watched = disks.flatMap((disk, index) =>
    disk.format === "raw" && disk.mode === "direct" ? [{ path: disk.path, index }] : [],
  );
  const look = async ({ path, index }: { path: string; index: number }): Promise<void> => {
    const size = await stat(path).then(
      (found) => found.size - (found.size % SECTOR_BYTES),
      () => 0,
    );
    if (size <= known[index]) return;
    known[index] = size;
    onGrowth(index, size);
  };
  const timer = setInterval(() => {
    for (const disk of watched) void look(disk);
  }, INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}
