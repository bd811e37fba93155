/** A folder of the host that is shared with a client of a test, and gone after it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type FolderOptions, HostFolder } from "../share/folder/host-folder-node.ts";
import { type CachePolicy, FuseSession } from "../share/fuse/session.ts";
import { FuseClient } from "./fuse-client.ts";

export interface SharedFolder {
  readonly path: string;
  readonly files: HostFolder;
  readonly client: FuseClient;
  /** Path of a name below the folder. */
  at(name: string): string;
}

/** A fresh folder, beside which there is room for what must not be reached. */
export function sharedFolder(
  t: TestContext,
  options: FolderOptions & { cache?: CachePolicy; pieceBytes?: number } = {},
): SharedFolder {
  const path = mkdtempSync(join(tmpdir(), "bulkhead-share-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return share(t, path, options);
}

/** Shares a folder that is there. */
export function share(
  t: TestContext,
  path: string,
  options: FolderOptions & { cache?: CachePolicy; pieceBytes?: number } = {},
): SharedFolder {
  const files = new HostFolder(path, options);
  t.after(() => files.close());
  const client = new FuseClient(new FuseSession(files, options.cache), options.pieceBytes);
  client.init();
  return { path, files, client, at: (name) => join(path, name) };
}

/** Refused with this error number. */
export const errno = (expected: number) => ({ name: "Error", errno: expected });
