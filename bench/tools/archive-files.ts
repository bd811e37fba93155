/** Files of Debian packages, fetched and unpacked into the cache without root; nothing is installed, no script is run. */
import { existsSync } from "node:fs";
import { chmod, link, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Archive, SUITE } from "../../packages/guests/src/archive/client.ts";
import { findMirrors } from "../../packages/guests/src/archive/mirror.ts";
import type { PackageIndex, PackageRecord } from "../../packages/guests/src/archive/package-index.ts";
import { useProxies } from "../../packages/guests/src/archive/proxies.ts";
import { withLock } from "../../packages/guests/src/cache/lock.ts";
import { replaceDirectory } from "../../packages/guests/src/cache/replace-directory.ts";
import { withDeb } from "../../packages/guests/src/formats/deb.ts";
import type { TarEntry } from "../../packages/guests/src/formats/tar.ts";

/** Raised when what is unpacked, or how, changes. */
const FORMAT = 1;

export interface FilesWanted {
  /** Names the directory in the cache. */
  readonly name: string;
  readonly cache: string;
  /** A release of Debian, by default the guests'. */
  readonly suite?: string;
  /** Debian's name of the architecture. */
  readonly architecture: string;
  /** The packages to unpack. */
  choose(index: PackageIndex): PackageRecord[];
  /** Which of their files, by paths like `usr/bin/gcc`. */
  readonly files: RegExp;
  onProgress(text: string): void;
}

/** Where the files of that name are unpacked. */
export const unpackedRoot = (cache: string, name: string): string => join(cache, "tools", `${name}-${FORMAT}`, "root");

/** Unpacks once; gives the root. Errors: an `ImageError` of the archive's client. */
export async function unpackFiles(wanted: FilesWanted): Promise<string> {
  const tools = join(wanted.cache, "tools");
  const directory = join(tools, `${wanted.name}-${FORMAT}`);
  const list = join(directory, "packages.json");
  if (!existsSync(list)) {
    await mkdir(tools, { recursive: true });
    await withLock(join(tools, "lock"), async () => {
      if (!existsSync(list)) await fetchAndUnpack(wanted, directory);
    });
  }
  return unpackedRoot(wanted.cache, wanted.name);
}

async function fetchAndUnpack(wanted: FilesWanted, directory: string): Promise<void> {
  const { name, cache, suite, architecture, onProgress } = wanted;
  const restore = useProxies();
  try {
    onProgress(`${name}: read the archive's index`);
    const mirrors = await findMirrors({ suite: suite ?? SUITE });
    const downloads = join(cache, "tools", "downloads");
    const archive = await Archive.open({ mirrors, directory: downloads, suite, architecture });
    const chosen = wanted.choose(archive.index);
    const mib = (bytes: number): string => (bytes / (1 << 20)).toFixed(0);
    await archive.fetch(chosen, (taken, of) => onProgress(`${name}: fetch ${mib(taken)} of ${mib(of)} MiB`));
    await replaceDirectory(directory, `unpack ${name}`, async (partial) => {
      for (const [index, each] of chosen.entries()) {
        onProgress(`${name}: unpack ${index + 1} of ${chosen.length}: ${each.name}`);
        await unpack(archive.path(each), join(partial, "root"), wanted.files);
      }
      const versions = Object.fromEntries(chosen.map((each) => [each.name, each.version]));
      await writeFile(join(partial, "packages.json"), `${JSON.stringify(versions, null, 1)}\n`);
    });
    await rm(downloads, { recursive: true, force: true });
  } finally {
    restore();
  }
}

/** Where an entry goes: packages may still name the directories that are links into usr. */
const placeOf = (name: string): string =>
  name.replace(/^\.?\//, "").replace(/^(bin|sbin|lib|lib64)\//, (directory) => `usr/${directory}`);

async function unpack(deb: string, root: string, wanted: RegExp): Promise<void> {
  await withDeb(deb, async (opened) => {
    for await (const entry of opened.data()) {
      const place = placeOf(entry.name);
      if (wanted.test(place) && !place.split("/").includes("..")) await unpackEntry(entry, join(root, place), root);
    }
  });
}

async function unpackEntry(entry: TarEntry, path: string, root: string): Promise<void> {
  if (entry.type === "directory") {
    await mkdir(path, { recursive: true });
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  if (entry.type === "file") {
    await writeFile(path, await entry.content());
    await chmod(path, entry.mode | 0o600);
  } else if (entry.type === "link") {
    await symlink(entry.target.startsWith("/") ? await relativeLink(entry.target, path, root) : entry.target, path);
  } else if (entry.type === "hardlink") await link(join(root, placeOf(entry.target)), path);
}

/** A link from the package's root is one from the unpacked root; relative, so that the directory can be renamed. */
async function relativeLink(target: string, path: string, root: string): Promise<string> {
  const up = dirname(path)
    .slice(root.length + 1)
    .split("/");
  return join(...up.map(() => ".."), placeOf(target));
}
