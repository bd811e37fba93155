// What an image in the cache says of itself: `images/NAME/manifest.json`, written last, read first.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** Raised when the manifest's shape changes: older images are then built again. */
export const MANIFEST_FORMAT = 1;

export type ImageKind = "busybox" | "debian";

/** File names are relative to the image's directory; `recipe` identifies how it was built. */
export interface Manifest {
  format: typeof MANIFEST_FORMAT;
  name: string;
  kind: ImageKind;
  recipe: string;
  include: string[];
  builtAt: string;
  debian: { version: string; date: string };
  kernelRelease: string;
  kernel: string;
  initrd: string;
  disk?: string;
  /** The disk's size as the guest sees it. */
  diskMiB?: number;
  append: string;
  packages: { name: string; version: string }[];
}

/** Where an image's files are. */
export const imageDirectory = (cache: string, name: string): string => join(cache, "images", name);

/** An image's manifest; undefined where there is none, or one that this version does not understand. */
export async function readManifest(cache: string, name: string): Promise<Manifest | undefined> {
  const directory = imageDirectory(cache, name);
  try {
    const manifest = JSON.parse(await readFile(join(directory, "manifest.json"), "utf8")) as Manifest;
    if (manifest.format !== MANIFEST_FORMAT || manifest.name !== name) return undefined;
    const files = [manifest.kernel, manifest.initrd, ...(manifest.disk === undefined ? [] : [manifest.disk])];
    for (const file of files) if ((await stat(join(directory, file))).size === 0) return undefined;
    return manifest;
  } catch {
    return undefined;
  }
}

/** The names of everything in the image directory that could be an image. */
export async function imageNames(cache: string): Promise<string[]> {
  const names = await readdir(join(cache, "images")).catch(() => []);
  return names.filter((name) => isImageName(name)).sort();
}

/** Letters, digits, dots, dashes; so that a name is a file name everywhere. */
export const isImageName = (name: string): boolean => /^[a-z0-9][a-z0-9.-]{0,62}$/.test(name);
