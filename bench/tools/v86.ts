/** v86 from npm with what it boots: SeaBIOS, a kernel for i686 and busybox from Debian. All in the cache. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { PackageIndex, PackageRecord } from "../../packages/guests/src/archive/package-index.ts";
import { busyboxTree } from "../../packages/guests/src/busybox/tree.ts";
import type { Emulator } from "../emulators/emulator.ts";
import { BenchError } from "../error.ts";
import { unpackFiles } from "./archive-files.ts";

const VERSION = "0.5.462";
/** The last release of Debian with a kernel for the processor that v86 emulates. */
const SUITE = "bookworm";
const META_PACKAGE = "linux-image-686";
const FILES = /^(boot\/vmlinuz-.*|usr\/bin\/busybox|usr\/share\/seabios\/(bios|vgabios-stdvga)\.bin)$/;
const GUEST = join(import.meta.dirname, "..", "guest");
const PROCESS = join(import.meta.dirname, "..", "emulators", "v86-process.ts");
const run = promisify(execFile);

function choose(index: PackageIndex): PackageRecord[] {
  const kernel = index
    .find(META_PACKAGE)
    ?.depends.flat()
    .find(({ name }) => name.startsWith("linux-image-"))?.name;
  return [kernel, "busybox-static", "seabios"].map((name) => {
    const found = name === undefined ? undefined : index.find(name);
    if (found === undefined) throw new BenchError("tool-missing", `${SUITE} has no ${name ?? META_PACKAGE} for v86`);
    return found;
  });
}

/** Fetches all of it. @param scratch a directory for this run's initramfs. Errors: `tool-missing`. */
export async function fetchV86(cache: string, scratch: string, onProgress: (text: string) => void): Promise<Emulator> {
  const module = await installV86(join(cache, "tools", `v86-${VERSION}`), onProgress);
  const name = "v86-guest";
  const root = await unpackFiles({ name, cache, suite: SUITE, architecture: "i386", choose, files: FILES, onProgress });
  const kernel = (await readdir(join(root, "boot"))).find((each) => each.startsWith("vmlinuz-"));
  if (kernel === undefined) throw new BenchError("tool-missing", `${root} holds no kernel: remove it and retry`);
  const initrd = join(scratch, "v86.cpio");
  const tree = busyboxTree(await readFile(join(root, "usr", "bin", "busybox")));
  tree.file("init", await readFile(join(GUEST, "init.sh")), 0o755);
  tree.file("bench/agent.sh", await readFile(join(GUEST, "agent.sh")));
  await writeFile(initrd, tree.toCpio());
  const firmware = ["bios", "vgabios-stdvga"].map((each) => join(root, "usr", "share", "seabios", `${each}.bin`));
  const args = [PROCESS, module, ...firmware, join(root, "boot", kernel), initrd];
  return {
    name: "v86",
    kind: "v86",
    version: `v86 ${VERSION}, ${kernel.replace("vmlinuz-", "Linux ")}`,
    needsOwnDisks: false,
    commandLine: () => ({ file: process.execPath, args }),
  };
}

/** Installs the package into a directory of its own; gives the path of its module. */
async function installV86(directory: string, onProgress: (text: string) => void): Promise<string> {
  const module = join(directory, "node_modules", "v86", "build", "libv86.mjs");
  if (existsSync(module)) return module;
  onProgress("v86: install it from npm");
  await mkdir(directory, { recursive: true });
  const options = ["--prefix", directory, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"];
  await run("npm", ["install", ...options, `v86@${VERSION}`]).catch((cause) => {
    throw new BenchError("tool-missing", `npm cannot install v86: ${cause.stderr?.trim() ?? cause.message}`, { cause });
  });
  return module;
}
