/** Opens a folder of the host as a device, on the thread that serves it: that of the machine. */
import { statSync } from "node:fs";
import { Share } from "@bulkhead/devices";
import { HostFolder } from "@bulkhead/devices/node";
import { HostError } from "../host-error.ts";
import type { ShareDescription } from "../partition/description.ts";

/** What a Linux guest needs at least for a node that it knows: one that forgets nothing has no more of them. */
const GUEST_NODE_BYTES = 1024;
const MIB = 1024 * 1024;

export interface OpenShare {
  readonly device: Share;
  close(): void;
}

/** Errors: `file-missing`, `file-unreadable`. */
export function checkShare(path: string): void {
  const folder = withFolder(path, () => statSync(path));
  if (!folder.isDirectory()) throw new HostError("file-unreadable", `share ${path}: expected a folder, found a file`);
}

/** Errors: `file-missing`, `file-unreadable`. */
export function openShare({ path, tag, readOnly, cache }: ShareDescription, memoryMiB: number): OpenShare {
  checkShare(path);
  const mostNodes = (memoryMiB * MIB) / GUEST_NODE_BYTES;
  const files = withFolder(path, () => new HostFolder(path, { readOnly, mostNodes }));
  return { device: new Share(files, { tag, cache }), close: () => files.close() };
}

function withFolder<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    const missing = code === "ENOENT" || code === "ENOTDIR";
    const why = missing ? "there is no such folder" : `it cannot be used (${code})`;
    throw new HostError(missing ? "file-missing" : "file-unreadable", `share ${path}: ${why}`, { cause });
  }
}
