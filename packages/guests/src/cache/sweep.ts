// Removes what killed processes left half-made. Only called while holding the cache's lock.
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { PARTIAL } from "./replace-file.ts";

/** Removes all work in progress from the named subdirectories of the cache. */
export async function sweep(cache: string, subdirectories: readonly string[]): Promise<void> {
  for (const subdirectory of subdirectories) {
    const directory = join(cache, subdirectory);
    for (const name of await readdir(directory).catch(() => [])) {
      if (name.includes(PARTIAL)) await rm(join(directory, name), { recursive: true, force: true }).catch(() => {});
    }
  }
}
