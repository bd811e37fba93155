/** Compiles the small programs, for the guests and where possible for this host. Kept by the digest of what goes in. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Compiler } from "./compiler.ts";

const SOURCES = join(import.meta.dirname, "..", "programs");

/** The names of all programs. */
export const programNames = async (): Promise<string[]> =>
  (await readdir(SOURCES)).filter((name) => name.endsWith(".c")).map((name) => name.slice(0, -2));

/** The directory with all programs of `programs/` compiled. Errors: `build-failed`. */
export async function compilePrograms(cache: string, kind: string, compiler: Compiler): Promise<string> {
  const names = (await readdir(SOURCES)).filter((name) => /\.[ch]$/.test(name)).sort();
  const hash = createHash("sha256").update(`${kind} ${compiler.version}`);
  for (const name of names) hash.update(name).update(await readFile(join(SOURCES, name)));
  const directory = join(cache, `programs-${kind}-${hash.digest("hex").slice(0, 16)}`);
  await mkdir(directory, { recursive: true });
  for (const name of await programNames()) {
    const program = join(directory, name);
    if (existsSync(program)) continue;
    // Whole or absent: another run may look at the same moment.
    const partial = `${program}.partial-${process.pid}`;
    await compiler.compile(join(SOURCES, `${name}.c`), partial);
    await rename(partial, program);
  }
  return directory;
}
