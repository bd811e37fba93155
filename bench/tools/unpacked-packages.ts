/**
 * Debian packages for this host, fetched and unpacked into the cache without root and without installing anything.
 * Their programs run under the C library they were built for, whatever this host has.
 */
import { existsSync } from "node:fs";
import { chmod, link, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Archive, SUITE } from "../../packages/guests/src/archive/client.ts";
import { findMirrors } from "../../packages/guests/src/archive/mirror.ts";
import { useProxies } from "../../packages/guests/src/archive/proxies.ts";
import { resolve } from "../../packages/guests/src/archive/resolve.ts";
import { withLock } from "../../packages/guests/src/cache/lock.ts";
import { replaceDirectory } from "../../packages/guests/src/cache/replace-directory.ts";
import { withDeb } from "../../packages/guests/src/formats/deb.ts";
import type { TarEntry } from "../../packages/guests/src/formats/tar.ts";
import { BenchError } from "../error.ts";

/** Raised when what is unpacked, or how, changes. */
const FORMAT = 1;

const architectures: Partial<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
/** Documentation and the like is left in the packages. */
const WANTED = /^usr\/(bin|lib|lib64|libexec|riscv64-linux-gnu|share\/(qemu|opensbi|seabios))(\/|$)/;

export interface PackagesWanted {
  /** Names the directory in the cache. */
  readonly name: string;
  readonly packages: readonly string[];
  readonly cache: string;
  onProgress(text: string): void;
}

/** Programs of an unpacked root: how to start one, and where its files are. */
export interface UnpackedPackages {
  readonly root: string;
  /** Program and fixed arguments that start `usr/bin/NAME`, or a path below the root. */
  command(path: string): string[];
}

/** Unpacks packages with all they need, once. Errors: `tool-missing`, or what the archive's client throws. */
export async function unpackPackages(wanted: PackagesWanted): Promise<UnpackedPackages> {
  const directory = join(wanted.cache, "tools", `${wanted.name}-${FORMAT}`);
  const list = join(directory, "packages.json");
  if (!existsSync(list)) {
    await mkdir(dirname(directory), { recursive: true });
    await withLock(join(wanted.cache, "tools", "lock"), async () => {
      if (!existsSync(list)) await fetchAndUnpack(wanted, directory);
    });
  }
  return await programsOf(join(directory, "root"));
}

async function fetchAndUnpack({ name, packages, cache, onProgress }: PackagesWanted, directory: string): Promise<void> {
  const architecture = architectures[process.arch];
  if (process.platform !== "linux" || architecture === undefined) {
    throw new BenchError(
      "tool-missing",
      `Debian has no ${name} for ${process.platform} on ${process.arch}: install it`,
    );
  }
  const restore = useProxies();
  try {
    onProgress(`${name}: read the archive's index`);
    const mirrors = await findMirrors({ suite: SUITE });
    const downloads = join(cache, "tools", "downloads");
    const archive = await Archive.open({ mirrors, directory: downloads, architecture });
    const chosen = resolve(archive.index, packages);
    const mib = (bytes: number): string => (bytes / (1 << 20)).toFixed(0);
    await archive.fetch(chosen, (taken, of) => onProgress(`${name}: fetch ${mib(taken)} of ${mib(of)} MiB`));
    await replaceDirectory(directory, `unpack ${name}`, async (partial) => {
      for (const [index, each] of chosen.entries()) {
        onProgress(`${name}: unpack ${index + 1} of ${chosen.length}: ${each.name}`);
        await unpack(archive.path(each), join(partial, "root"));
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

async function unpack(deb: string, root: string): Promise<void> {
  await withDeb(deb, async (opened) => {
    for await (const entry of opened.data()) {
      const place = placeOf(entry.name);
      if (WANTED.test(place) && !place.split("/").includes("..")) await unpackEntry(entry, join(root, place), root);
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

async function programsOf(root: string): Promise<UnpackedPackages> {
  const libraries = join(root, "usr", "lib");
  const multiarch = (await readdir(libraries)).filter((name) => /^(x86_64|aarch64)-linux-gnu$/.test(name));
  const folders = [...multiarch.map((name) => join(libraries, name)), libraries];
  const linker = (await Promise.all(folders.map(linkerIn))).find((path) => path !== undefined);
  if (linker === undefined)
    throw new BenchError("tool-missing", `${root} holds no dynamic linker: remove it and retry`);
  // Sub-folders too: some packages keep private libraries in one of their own.
  const command = (path: string): string[] => [linker, "--library-path", folders.join(":"), join(root, path)];
  return { root, command };
}

async function linkerIn(folder: string): Promise<string | undefined> {
  const name = (await readdir(folder)).find((each) => /^ld-linux-.*\.so\.\d+$/.test(each));
  return name === undefined ? undefined : join(folder, name);
}

/** Versions of what was unpacked. */
export async function packageVersions(cache: string, name: string): Promise<Record<string, string>> {
  return JSON.parse(await readFile(join(cache, "tools", `${name}-${FORMAT}`, "packages.json"), "utf8"));
}
