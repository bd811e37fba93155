/** Owners and modes of the host's files, as far as the host holds them; what it does not goes into the record. */
import { type BigIntStats, chmodSync, chownSync, fstatSync } from "node:fs";
import { bigint } from "./descriptors-node.ts";
import type { Metadata } from "./metadata.ts";
import { FORMAT_MASK, Format } from "./node.ts";
import { guestGid, guestMode, guestUid, type HostUser, hostPermissions, withoutPrivileges } from "./presentation.ts";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The host's object and what is known besides. */
export interface Known {
  readonly stat: BigIntStats;
  readonly metadata: Metadata | undefined;
}

/** Does what the host may refuse to this process, or not know of. @returns whether it was done. */
export function permitted(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EPERM" || code === "EACCES" || code === "EINVAL" || code === "ENOTSUP" || code === "EOPNOTSUPP") {
      return false;
    }
    throw error;
  }
}

/** Gives what was just made its owner and its mode, which has the guest's type. @param descriptor of it, of any access. */
export function giveOwner(
  descriptor: number,
  mode: number,
  owner: Owner,
  user: HostUser,
): { stat: BigIntStats; metadata: Metadata } {
  const path = `/proc/self/fd/${descriptor}`;
  const format = mode & FORMAT_MASK;
  const permissions = hostPermissions(mode, format === Format.directory, user);
  if (format !== Format.link && (permissions & user.umask) !== 0) chmodSync(path, permissions);
  if (user.privileged && (owner.uid !== user.uid || owner.gid !== user.gid)) {
    permitted(() => chownSync(path, owner.uid, owner.gid));
  }
  const stat = fstatSync(descriptor, bigint);
  return { stat, metadata: { ...ownerRecord(stat, owner, user), ...modeRecord(stat, mode) } };
}

/** Gives an object to others, or changes its group. What programs are allowed to do goes with it. */
export function changeOwner(
  descriptor: number,
  { stat: before, metadata }: Known,
  { uid, gid }: Partial<Owner>,
  user: HostUser,
): Known {
  const mode = guestMode(before, metadata);
  if (user.privileged) permitted(() => chownSync(`/proc/self/fd/${descriptor}`, uid ?? -1, gid ?? -1));
  const stat = fstatSync(descriptor, bigint);
  const owner = {
    uid: uid ?? metadata?.uid ?? guestUid(before, user),
    gid: gid ?? metadata?.gid ?? guestGid(before, user),
  };
  const changed = { ...metadata, ...ownerRecord(stat, owner, user), ...modeRecord(stat, withoutPrivileges(mode)) };
  return { stat, metadata: changed };
}

/** Gives an object permissions; `mode` has the guest's type. */
export function changeMode(descriptor: number, { metadata }: Known, mode: number, user: HostUser): Known {
  const isDirectory = (mode & FORMAT_MASK) === Format.directory;
  permitted(() => chmodSync(`/proc/self/fd/${descriptor}`, hostPermissions(mode, isDirectory, user)));
  const stat = fstatSync(descriptor, bigint);
  return { stat, metadata: { ...metadata, ...modeRecord(stat, mode) } };
}

/** What the host does not say of an owner. */
function ownerRecord(stat: BigIntStats, { uid, gid }: Owner, user: HostUser): Metadata {
  return {
    uid: guestUid(stat, user) === uid ? undefined : uid,
    gid: guestGid(stat, user) === gid ? undefined : gid,
  };
}

/** What the host does not say of a mode. */
function modeRecord(stat: BigIntStats, mode: number): Metadata {
  const same = Number(stat.mode) === mode;
  return { mode: same ? undefined : mode, hostMode: same ? undefined : Number(stat.mode) };
}
