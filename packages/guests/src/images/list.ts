// What is in the cache, and taking it out again. Called by `bulkhead images`.
import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { cacheDirectory } from "../cache/directory.ts";
import { withLock } from "../cache/lock.ts";
import { partialPath } from "../cache/replace-file.ts";
import { sweep } from "../cache/sweep.ts";
import { asImageError, ImageError } from "../error.ts";
import { catalogue, unknownImage } from "./catalogue.ts";
import { type ImageKind, imageDirectory, imageNames, readManifest } from "./manifest.ts";
import { recipe } from "./recipe.ts";

const BLOCK_BYTES = 512;

/** An image that is built or can be. `bytes` counts what the host's disk holds, not the guest's view of it. */
export interface ImageEntry {
  name: string;
  kind: ImageKind;
  description: string;
  built: boolean;
  /** Built by another version of this program: the next use builds it again. */
  outdated: boolean;
  bytes: number;
  builtAt?: string;
  debianVersion?: string;
  kernelRelease?: string;
  include: string[];
}

async function storedBytes(directory: string): Promise<number> {
  let total = 0;
  for (const name of await readdir(directory).catch(() => [])) {
    const found = await stat(join(directory, name)).catch(() => undefined);
    total += (found?.blocks ?? 0) * BLOCK_BYTES;
  }
  return total;
}

/** The catalogue's images, then the user's own, by name. */
export async function listImages(options: { cache?: string } = {}): Promise<ImageEntry[]> {
  const cache = options.cache ?? cacheDirectory();
  const own = (await imageNames(cache)).filter((name) => !Object.hasOwn(catalogue, name));
  const entries: ImageEntry[] = [];
  for (const name of [...Object.keys(catalogue), ...own]) {
    const manifest = await readManifest(cache, name);
    const known = catalogue[name];
    const kind = manifest?.kind ?? known?.kind;
    if (kind === undefined) continue;
    entries.push({
      name,
      kind,
      description: known?.description ?? `debian with ${manifest?.include.join(", ")}`,
      built: manifest !== undefined,
      outdated: manifest !== undefined && manifest.recipe !== (await recipe(kind)),
      bytes: await storedBytes(imageDirectory(cache, name)),
      ...(manifest === undefined
        ? {}
        : {
            builtAt: manifest.builtAt,
            debianVersion: manifest.debian.version,
            kernelRelease: manifest.kernelRelease,
          }),
      include: manifest?.include ?? [],
    });
  }
  return entries;
}

/** Takes an image out of the cache; a guest that runs from it keeps its open files. Throws ImageError. */
export async function removeImage(name: string, options: { cache?: string; signal?: AbortSignal } = {}): Promise<void> {
  const cache = options.cache ?? cacheDirectory();
  const names = await imageNames(cache);
  if (!names.includes(name)) {
    if (!Object.hasOwn(catalogue, name)) throw await unknownImage(name, cache);
    throw new ImageError("image-missing", `${name} is not built: there is nothing to remove`);
  }
  await withLock(
    join(cache, "lock"),
    async () => {
      const directory = imageDirectory(cache, name);
      const away = partialPath(directory);
      // Renamed first, so that no half-removed image is ever under its name.
      await rename(directory, away).catch((error) => {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw asImageError(error, `remove ${name}`);
      });
      await rm(away, { recursive: true, force: true });
    },
    { signal: options.signal },
  );
}

/** Removes fetched packages and unpacked kernels; images stay usable. Returns how many bytes were freed. */
export async function removeDownloads(options: { cache?: string; signal?: AbortSignal } = {}): Promise<number> {
  const cache = options.cache ?? cacheDirectory();
  let freed = 0;
  await withLock(
    join(cache, "lock"),
    async () => {
      await sweep(cache, ["images", "kernels", "packages"]);
      for (const subdirectory of ["packages", "kernels"]) {
        const directory = join(cache, subdirectory);
        freed += await storedBytes(directory);
        for (const name of await readdir(directory).catch(() => [])) freed += await storedBytes(join(directory, name));
        await rm(directory, { recursive: true, force: true });
      }
    },
    { signal: options.signal },
  );
  return freed;
}
