// A file that is either as it was or whole: written beside its place, synced, then renamed.
// Every file of the cache comes into being through here.
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { asImageError } from "../error.ts";

/** Marks names that only hold work in progress; leftovers of a killed process are swept by it. */
export const PARTIAL = ".partial-";

let counter = 0;

/** A name beside `path`, unique to this process, for work in progress. */
export function partialPath(path: string): string {
  return `${path}${PARTIAL}${process.pid}-${Date.now().toString(36)}-${counter++}`;
}

/** Makes the entries of a directory outlive a crash of the host. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates or replaces `path` with what `write` writes; on any failure `path` stays as it was. Throws ImageError. */
export async function replaceFile(
  path: string,
  doing: string,
  write: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const partial = partialPath(path);
  try {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(partial, "wx", 0o644);
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    throw asImageError(error, doing);
  }
}

/** Writes a file of a directory in progress and makes it durable. */
export async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, "wx", 0o644);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
