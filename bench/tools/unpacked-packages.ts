/**
 * Debian's programs for this host, run from the cache without being installed: under the C library they were built for,
 * whatever this host has.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { resolve } from "../../packages/guests/src/archive/resolve.ts";
import { BenchError } from "../error.ts";
import { unpackFiles } from "./archive-files.ts";

const architectures: Partial<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
/** Documentation and the like is left in the packages. */
const FILES = /^usr\/(bin|lib|lib64|libexec|riscv64-linux-gnu|share\/(qemu|opensbi|seabios))(\/|$)/;

export interface ProgramsWanted {
  /** Names the directory in the cache. */
  readonly name: string;
  readonly packages: readonly string[];
  readonly cache: string;
  onProgress(text: string): void;
}

/** Programs of an unpacked root: how to start one, and where its files are. */
export interface UnpackedPrograms {
  readonly root: string;
  /** Program and fixed arguments that start the program at a path below the root. */
  command(path: string): string[];
}

/** Unpacks packages with all they need, once. Errors: `tool-missing`, or what the archive's client throws. */
export async function unpackPrograms({ name, packages, cache, onProgress }: ProgramsWanted): Promise<UnpackedPrograms> {
  const architecture = architectures[process.arch];
  if (process.platform !== "linux" || architecture === undefined) {
    throw new BenchError(
      "tool-missing",
      `Debian has no ${name} for ${process.platform} on ${process.arch}: install it`,
    );
  }
  const choose: Parameters<typeof unpackFiles>[0]["choose"] = (index) => resolve(index, packages);
  return programsOf(await unpackFiles({ name, cache, architecture, choose, files: FILES, onProgress }));
}

async function programsOf(root: string): Promise<UnpackedPrograms> {
  const libraries = join(root, "usr", "lib");
  const multiarch = (await readdir(libraries)).filter((name) => /^(x86_64|aarch64)-linux-gnu$/.test(name));
  const folders = [...multiarch.map((name) => join(libraries, name)), libraries];
  const linker = (await Promise.all(folders.map(linkerIn))).find((path) => path !== undefined);
  if (linker === undefined)
    throw new BenchError("tool-missing", `${root} holds no dynamic linker: remove it and retry`);
  const command = (path: string): string[] => [linker, "--library-path", folders.join(":"), join(root, path)];
  return { root, command };
}

async function linkerIn(folder: string): Promise<string | undefined> {
  const name = (await readdir(folder)).find((each) => /^ld-linux-.*\.so\.\d+$/.test(each));
  return name === undefined ? undefined : join(folder, name);
}
