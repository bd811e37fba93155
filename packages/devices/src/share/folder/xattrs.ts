/** Extended attributes of a record. They are kept beside the files, since the host's cannot be reached. */
import { Errno, refusal } from "../errno.ts";
import { XattrFlag } from "../fuse/protocol.ts";
import type { Metadata } from "./metadata.ts";

const NAME_MAX = 255;
/** Most bytes of all names and values of an object. */
const MOST_BYTES = 64 * 1024;
/** ACLs are no plain values: they would have to be enforced. */
const NAMESPACES = ["user.", "trusted.", "security."];
/** Permissions of a program, which do not outlive a change of it. */
const CAPABILITY = "security.capability";

function checkXattrName(name: string): void {
  if (!NAMESPACES.some((prefix) => name.startsWith(prefix) && name.length > prefix.length)) {
    throw refusal(Errno.EOPNOTSUPP);
  }
  if (name.length > NAME_MAX) throw refusal(Errno.ERANGE);
}

export function getXattr(metadata: Metadata | undefined, name: string): Uint8Array | undefined {
  checkXattrName(name);
  const { xattrs } = metadata ?? {};
  if (xattrs === undefined || !Object.hasOwn(xattrs, name)) return undefined;
  return Uint8Array.from(xattrs[name], (char) => char.charCodeAt(0));
}

export const listXattr = (metadata: Metadata | undefined): readonly string[] => Object.keys(metadata?.xattrs ?? {});

/** The record with an attribute. @param flags of `XattrFlag`. Errors: `EEXIST`, `ENODATA`, `ENOSPC`, `EOPNOTSUPP`. */
export function withXattr(metadata: Metadata | undefined, name: string, value: Uint8Array, flags: number): Metadata {
  checkXattrName(name);
  const before = metadata?.xattrs ?? {};
  const exists = Object.hasOwn(before, name);
  if (exists && (flags & XattrFlag.create) !== 0) throw refusal(Errno.EEXIST);
  if (!exists && (flags & XattrFlag.replace) !== 0) throw refusal(Errno.ENODATA);
  const xattrs = { ...before, [name]: byteString(value) };
  const bytes = Object.entries(xattrs).reduce((sum, [key, text]) => sum + key.length + text.length, 0);
  if (bytes > MOST_BYTES) throw refusal(Errno.ENOSPC);
  return { ...metadata, xattrs };
}

/** The record without an attribute. Errors: `ENODATA`. */
export function withoutXattr(metadata: Metadata | undefined, name: string): Metadata {
  checkXattrName(name);
  const { [name]: found, ...rest } = metadata?.xattrs ?? {};
  if (found === undefined) throw refusal(Errno.ENODATA);
  return { ...metadata, xattrs: Object.keys(rest).length === 0 ? undefined : rest };
}

/** The record as it is after a change of content or owner. */
export const withoutCapability = (metadata: Metadata | undefined): Metadata | undefined =>
  metadata?.xattrs?.[CAPABILITY] === undefined ? metadata : withoutXattr(metadata, CAPABILITY);

function byteString(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
