// One builder at a time per cache, across processes. The lock is a transaction on an empty SQLite database: the
// operating system holds it for the process, so it ends with the process, however that ends.
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { asImageError, ImageError } from "../error.ts";

const SQLITE_BUSY = 5;
const POLL_MS = 200;

const isBusy = (error: unknown) => (error as { errcode?: number }).errcode === SQLITE_BUSY;

/** Locks this process holds: a database that is only reachable from a pending promise may be collected, and unlocks. */
const held = new Set<DatabaseSync>();

/** Runs `work` while holding the lock at `path`; `onWait` hears once that another process has it. */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  options: { signal?: AbortSignal | undefined; onWait?: () => void } = {},
): Promise<T> {
  let database: DatabaseSync;
  try {
    await mkdir(dirname(path), { recursive: true });
    database = new DatabaseSync(path, { timeout: 0 });
  } catch (error) {
    if ((error as { code?: string }).code !== "ERR_SQLITE_ERROR") throw asImageError(error, `lock ${path}`);
    throw new ImageError("cache-unwritable", `lock ${path}: the cache cannot be written`, { cause: error });
  }
  held.add(database);
  try {
    for (let waited = false; ; waited = true) {
      try {
        database.exec("BEGIN EXCLUSIVE");
        break;
      } catch (error) {
        if (!isBusy(error)) {
          throw new ImageError("cache-unwritable", `lock ${path}: the cache cannot be written`, { cause: error });
        }
      }
      if (!waited) options.onWait?.();
      await delay(POLL_MS, undefined, { signal: options.signal }).catch((cause) => {
        throw new ImageError("interrupted", "interrupted while another process was building", { cause });
      });
    }
    return await work();
  } finally {
    held.delete(database);
    database.close();
  }
}
