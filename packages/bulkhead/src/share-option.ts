/** What is typed after `--share`: a folder of this host, a path of the guest, and settings; and how a guest learns of it. */
import { resolve } from "node:path";
import type { ShareDescription } from "@bulkhead/hypervisor";
import { InvalidArgumentError } from "commander";

export interface SharedFolder {
  /** On this host; absolute. */
  readonly path: string;
  /** Where the guest mounts it; absolute. */
  readonly guestPath: string;
  readonly readOnly: boolean;
  readonly cache: NonNullable<ShareDescription["cache"]>;
  /** Served in a thread of its own. */
  readonly thread: boolean;
}

/** What `--help` says of it. */
export const SHARE_HELP = `
A --share is a folder of this host and where the guest mounts it, such as --share .:/src. Behind them, after colons or commas:
  ro                 the guest cannot change anything
  cache=auto         what the host changes is seen within a second (the default)
  cache=none         … at once, which is slower
  cache=always       only this guest changes the folder: it may keep what it has read and written to itself for a while
  thread             serve it in a thread of its own: for slow storage
A colon in a path is written as \\: . Guests without an image's scripts: mount -t virtiofs share0 PATH, share1 for the next.
`;

const caches = ["auto", "none", "always"] as const;

/** The folder that a text describes, for commander. */
export function parseShare(text: string): SharedFolder {
  const refuse = (why: string): never => {
    throw new InvalidArgumentError(`${why} See bulkhead run --help.`);
  };
  const [path, guest, ...rest] = splitAtColons(text);
  if (path === "" || guest === undefined) return refuse("Expected HOST:GUEST, two paths.");
  const [guestPath, ...behind] = guest.split(",");
  if (!guestPath.startsWith("/"))
    return refuse(`Expected an absolute path of the guest, found ${guestPath || "none"}.`);
  let readOnly = false;
  let thread = false;
  let cache: SharedFolder["cache"] = "auto";
  for (const setting of [...behind, ...rest.flatMap((part) => part.split(","))]) {
    const value = caches.find((name) => setting === `cache=${name}`);
    if (setting === "ro" || setting === "readonly") readOnly = true;
    else if (setting === "rw") readOnly = false;
    else if (setting === "thread") thread = true;
    else if (value !== undefined) cache = value;
    else refuse(`${setting} is no setting of a share.`);
  }
  return { path: resolve(path), guestPath, readOnly, cache, thread };
}

/** What the guest mounts the share of a number by. */
export const shareTag = (index: number): string => `share${index}`;

/**
 * A word of the kernel's command line that has a share mounted: by systemd, which knows it since version 254, and by the
 * busybox image's init. A guest whose share cannot be mounted boots all the same.
 */
export function mountWord({ guestPath, readOnly }: SharedFolder, index: number): string {
  return `systemd.mount-extra=${shareTag(index)}:${escapePath(guestPath)}:virtiofs:nofail${readOnly ? ",ro" : ""}`;
}

/** Bytes that mean something on a command line, or between colons, as `\xHH`. */
const escapePath = (path: string): string =>
  Array.from(new TextEncoder().encode(path), (byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9/._+@-]/.test(char) ? char : `\\x${byte.toString(16).padStart(2, "0")}`;
  }).join("");

function splitAtColons(text: string): string[] {
  const parts = [""];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\" && text[at + 1] === ":") parts[parts.length - 1] += text[++at];
    else if (text[at] === ":") parts.push("");
    else parts[parts.length - 1] += text[at];
  }
  return parts;
}
