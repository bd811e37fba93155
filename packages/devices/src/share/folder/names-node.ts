/**
 * Names as the share sees them: byte strings with one character per byte. Here it is decided what can be a name at all:
 * nothing that could lead out of a directory.
 */
import { Errno, refusal } from "../errno.ts";

/** What the share keeps for itself starts with this: no guest sees it or can make it, in any directory. */
export const RESERVED = ".bulkhead-share";
const NAME_MAX = 255;

/** Refuses what is no name of an entry: `EINVAL`, `ENAMETOOLONG`. Names that are reserved lead to nothing: see `isReserved`. */
export function checkName(name: string): void {
  if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")) {
    throw refusal(Errno.EINVAL);
  }
  if (name.length > NAME_MAX) throw refusal(Errno.ENAMETOOLONG);
}

export const isReserved = (name: string): boolean => name.startsWith(RESERVED);

/** The same for a name that is to be made. */
export function checkNewName(name: string): void {
  checkName(name);
  if (isReserved(name)) throw refusal(Errno.EPERM);
}

/** What leads from a held directory to a name in it, without a symbolic link on the way. */
export function pathIn(directory: number, name: string): string | Buffer {
  const path = `/proc/self/fd/${directory}/${name}`;
  return isAscii(name) ? path : Buffer.from(path, "latin1");
}

function isAscii(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 0x7f) return false;
  return true;
}
