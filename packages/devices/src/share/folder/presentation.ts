/**
 * How the host's objects look to a guest, and the other way round. Run by root, owners are what they are. Run by another
 * user, that user is the guest's root, and everybody else is `nobody`, as in a user namespace.
 */
import type { Attributes } from "../file-system.ts";
import type { ExactTime, Metadata } from "./metadata.ts";
import { FORMAT_MASK, Format } from "./node.ts";

/** Who the host's process is. */
export interface HostUser {
  readonly uid: number;
  readonly gid: number;
  /** It can give files away. */
  readonly privileged: boolean;
  /** Permissions that the host takes from what is made. */
  readonly umask: number;
}

/** What `fs.BigIntStats` has of it. */
export interface HostStat {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly blocks: bigint;
  readonly mode: bigint;
  readonly nlink: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly rdev: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly birthtimeNs: bigint;
}

export const PERMISSIONS = 0o7777;
export const SET_UID = 0o4000;
export const SET_GID = 0o2000;
const GROUP_EXECUTE = 0o010;
const NOBODY = 65534;

const guestId = (id: bigint, own: number, { privileged }: HostUser): number =>
  privileged ? Number(id) : Number(id) === own ? 0 : NOBODY;

export const guestUid = (stat: HostStat, user: HostUser): number => guestId(stat.uid, user.uid, user);
export const guestGid = (stat: HostStat, user: HostUser): number => guestId(stat.gid, user.gid, user);

/**
 * Permissions for the host's file: never any that would give its user's rights away, and always what this process itself
 * needs to read and write it.
 */
export function hostPermissions(mode: number, isDirectory: boolean, { privileged }: HostUser): number {
  const own = privileged ? 0 : isDirectory ? 0o700 : 0o600;
  return (mode & 0o777) | own;
}

/** Type and permissions as the guest sees them. Permissions that the host has changed since are the host's. */
export function guestMode(stat: HostStat, metadata: Metadata | undefined): number {
  const mode = Number(stat.mode);
  if (metadata?.mode === undefined) return mode;
  const permissions = metadata.hostMode === mode ? metadata.mode : mode;
  return (metadata.mode & FORMAT_MASK) | (permissions & PERMISSIONS);
}

export function attributesOf(
  stat: HostStat,
  metadata: Metadata | undefined,
  user: HostUser,
  rootDev: bigint,
): Attributes {
  return {
    ino: stat.dev === rootDev ? stat.ino : mixedIno(stat),
    size: stat.size,
    blocks: stat.blocks,
    atimeNs: guestTime(stat.atimeNs, metadata?.atime),
    mtimeNs: guestTime(stat.mtimeNs, metadata?.mtime),
    ctimeNs: stat.ctimeNs,
    mode: guestMode(stat, metadata),
    nlink: Number(stat.nlink),
    uid: metadata?.uid ?? guestUid(stat, user),
    gid: metadata?.gid ?? guestGid(stat, user),
    rdev: metadata?.rdev ?? linuxDevice(stat.rdev),
  };
}

/** Mode without what a change of content or owner takes away. @spec Linux `setattr_should_drop_suidgid` */
export function withoutPrivileges(mode: number): number {
  if ((mode & FORMAT_MASK) === Format.directory) return mode;
  const group = (mode & GROUP_EXECUTE) !== 0 ? SET_GID : 0;
  return mode & ~(SET_UID | group);
}

export const guestTime = (hostNs: bigint, time: ExactTime | undefined): bigint =>
  time !== undefined && time.hostNs === hostNs ? time.exactNs : hostNs;

/** A file below another mount point of the host must not look like one of the share's own. */
const mixedIno = ({ dev, ino }: HostStat): bigint => BigInt.asUintN(64, ino ^ (dev << 40n) ^ (1n << 63n));

/** From the C library's form of a device number to the kernel's 32 bits. */
function linuxDevice(rdev: bigint): number {
  const major = Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xffff_f000n)) & 0xfff;
  const minor = Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffff_ff00n)) & 0xfffff;
  return ((minor & 0xff) | (major << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}
