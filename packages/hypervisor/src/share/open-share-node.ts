/** Opens a folder of the host as a device, served on the machine's thread or on one of its own. */
import { statSync } from "node:fs";
import { LocalService, RemoteService, Share } from "@bulkhead/devices";
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

/** Whether a folder can be shared, before anything else happens. Errors: `file-missing`, `file-unreadable`. */
export function checkShare(path: string): void {
  openFolder({ path, tag: "", readOnly: true }, 1).close();
}

/** @param remote memory in common with the thread that serves the share, if there is one. Errors: as `openFolder`. */
export function openShare(share: ShareDescription, memoryMiB: number, remote?: SharedArrayBuffer): OpenShare {
  const { tag, readOnly, cache } = share;
  const service =
    remote === undefined ? new LocalService(openFolder(share, memoryMiB), cache) : new RemoteService(remote, readOnly);
  return { device: new Share(service, { tag }), close: () => service.close() };
}

/** The folder, with bounds for a guest of a size. Errors: `file-missing`, `file-unreadable`. */
export function openFolder({ path, readOnly }: ShareDescription, memoryMiB: number): HostFolder {
  const folder = withFolder(path, () => statSync(path));
  if (!folder.isDirectory()) throw new HostError("file-unreadable", `share ${path}: expected a folder, found a file`);
  const mostNodes = (memoryMiB * MIB) / GUEST_NODE_BYTES;
  return withFolder(path, () => new HostFolder(path, { readOnly, mostNodes }));
}

function withFolder<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const missing = code === "ENOENT" || code === "ENOTDIR";
    // What carries no code of the host's is a refusal of ours.
    const unusable = code === undefined ? "it belongs to the host's kernel" : `it cannot be used (${code})`;
    const why = missing ? "there is no such folder" : unusable;
    throw new HostError(missing ? "file-missing" : "file-unreadable", `share ${path}: ${why}`, { cause });
  }
}
