/** Debian's gcc for riscv64, run from the cache where this host has none. */
import { readdirSync } from "node:fs";
import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Compiler, findCompiler, hostCrossCompiler, riscvFlags } from "../build/compiler.ts";
import { BenchError } from "../error.ts";
import { type UnpackedPrograms, unpackPrograms } from "./unpacked-packages.ts";

const PACKAGES = ["gcc-14-riscv64-linux-gnu", "libc6-dev-riscv64-cross"];
const TARGET = "riscv64-linux-gnu";

/** The host's cross compiler, else a fetched one. Errors: `tool-missing`. */
export async function crossCompiler(cache: string, onProgress: (text: string) => void): Promise<Compiler> {
  return hostCrossCompiler() ?? (await fetchedCompiler(cache, onProgress));
}

export async function fetchedCompiler(cache: string, onProgress: (text: string) => void): Promise<Compiler> {
  const tools = await unpackPrograms({ name: "riscv64-gcc", packages: PACKAGES, cache, onProgress });
  const wrappers = await writeWrappers(tools);
  const driver = readdirSync(join(tools.root, "usr", "bin")).find((name) => /^riscv64-linux-gnu-gcc-\d+$/.test(name));
  const compiler = driver && findCompiler([join(wrappers, driver), `-B${wrappers}/`], riscvFlags);
  if (!compiler) throw new BenchError("tool-missing", `the compiler in ${tools.root} does not start`);
  return compiler;
}

/** The driver starts its parts by name: scripts of these names start them under the C library they were built for. */
async function writeWrappers(tools: UnpackedPrograms): Promise<string> {
  const wrappers = join(tools.root, "..", "wrappers");
  await mkdir(wrappers, { recursive: true });
  for (const path of programs(tools.root)) {
    const script = join(wrappers, basename(path).replace(/^riscv64-linux-gnu-(as|ld)$/, "$1"));
    const words = tools.command(path).map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    // Whole or absent: another run may start it at the same moment.
    await writeFile(`${script}.partial-${process.pid}`, `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`);
    await chmod(`${script}.partial-${process.pid}`, 0o755);
    await rename(`${script}.partial-${process.pid}`, script);
  }
  return wrappers;
}

function programs(root: string): string[] {
  const libexec = join("usr", "libexec", "gcc-cross", TARGET);
  const parts = readdirSync(join(root, libexec)).flatMap((version) =>
    ["cc1", "collect2"].map((name) => join(libexec, version, name)),
  );
  const drivers = readdirSync(join(root, "usr", "bin")).filter((name) =>
    /^riscv64-linux-gnu-(gcc-\d+|as|ld)$/.test(name),
  );
  return [...parts, ...drivers.map((name) => join("usr", "bin", name))];
}
