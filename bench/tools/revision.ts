/** Another revision of this project, laid out beside it so that both can run: its files, and our installed packages. */
import { execFile } from "node:child_process";
import { mkdir, readdir, rm, symlink } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { bulkhead } from "../emulators/bulkhead.ts";
import type { Emulator } from "../emulators/emulator.ts";
import { BenchError } from "../error.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const run = promisify(execFile);

/** Lays out a revision in a directory. @param name what the table calls it. Errors: `revision-missing`. */
export async function checkOut(revision: string, name: string, directory: string): Promise<Emulator> {
  const commit = await run("git", ["-C", ROOT, "rev-parse", "--verify", "--quiet", `${revision}^{commit}`]).catch(
    (cause) => {
      throw new BenchError("revision-missing", `git knows no revision ${revision} here`, { cause });
    },
  );
  const hash = commit.stdout.trim();
  await mkdir(directory, { recursive: true });
  await extract(hash, directory);
  await linkPackages(directory);
  return bulkhead(directory, name, hash.slice(0, 12));
}

/** The revision's files without its history: nothing is left to tidy up in the repository. */
async function extract(hash: string, directory: string): Promise<void> {
  const archive = `${directory}.tar`;
  try {
    await run("git", ["-C", ROOT, "archive", "--output", archive, hash]);
    await run("tar", ["-x", "-f", archive, "-C", directory]);
  } catch (cause) {
    throw new BenchError("revision-missing", `${hash} cannot be unpacked: ${(cause as Error).message}`, { cause });
  } finally {
    await rm(archive, { force: true });
  }
}

/** Links to our installed packages, but to the revision's own for those of the workspace. */
async function linkPackages(directory: string): Promise<void> {
  const own = join(directory, "node_modules");
  await mkdir(join(own, "@bulkhead"), { recursive: true });
  for (const name of await readdir(join(ROOT, "node_modules"))) {
    if (name !== "@bulkhead" && name !== "bulkhead") await symlink(join(ROOT, "node_modules", name), join(own, name));
  }
  for (const name of await readdir(join(directory, "packages"))) {
    const link = name === "bulkhead" ? join(own, name) : join(own, "@bulkhead", name);
    await symlink(relative(join(link, ".."), join(directory, "packages", name)), link);
  }
}
