// Identifies how an image would be built by this version: when it changes, an image in the cache is out of date.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { baseRoots } from "../debian/base-set.ts";
import { maskedGenerators, maskedUnits } from "../debian/settings.ts";
import { wantedModules } from "../kernel/modules.ts";
import type { ImageKind } from "./manifest.ts";

/** Raised when code changes what it builds without changing any of the files and lists below. */
const REVISION = 2;

const folders: Readonly<Record<ImageKind, readonly string[]>> = {
  busybox: ["scripts", "busybox"],
  debian: ["scripts", "debian"],
};

/** A digest of the scripts, settings and lists an image of this kind is made with. */
export async function recipe(kind: ImageKind): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([REVISION, wantedModules]));
  if (kind === "debian") hash.update(JSON.stringify([baseRoots, Object.keys(maskedUnits), maskedGenerators]));
  for (const folder of folders[kind]) {
    const directory = new URL(`../${folder}/`, import.meta.url);
    for (const name of (await readdir(directory)).sort()) {
      if (!name.endsWith(".ts")) hash.update(name).update(await readFile(new URL(name, directory)));
    }
  }
  return hash.digest("hex").slice(0, 16);
}
