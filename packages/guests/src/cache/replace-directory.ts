// A directory that is either absent or whole: filled beside its place, synced, then renamed.
// Kernels and images come into being through here.
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { asImageError } from "../error.ts";
import { partialPath, syncDirectory } from "./replace-file.ts";

/**
 * Creates or replaces the directory at `path` with what `fill` puts into the directory it is handed; on any failure
 * `path` stays as it was. Throws ImageError.
 */
export async function replaceDirectory(
  path: string,
  doing: string,
  fill: (partial: string) => Promise<void>,
): Promise<void> {
  const partial = partialPath(path);
  const old = partialPath(path);
  try {
    await mkdir(partial, { recursive: true });
    await fill(partial);
    await syncDirectory(partial);
    await rename(path, old).catch((error) => {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    });
    await rename(partial, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    throw asImageError(error, doing);
  } finally {
    await rm(partial, { recursive: true, force: true }).catch(() => {});
    await rm(old, { recursive: true, force: true }).catch(() => {});
  }
}
