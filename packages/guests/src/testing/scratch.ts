// A directory that lives as long as a test.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** An empty directory, removed when the test ends. */
export async function scratch(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "bulkhead-test-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Every file below a directory, by path relative to it, sorted. */
export async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}
