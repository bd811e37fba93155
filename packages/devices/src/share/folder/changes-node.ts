/** SETATTR on an object of the host. The record of what the host cannot hold is returned, not stored. */
import { fstatSync, ftruncateSync, utimesSync } from "node:fs";
import { Errno, refusal } from "../errno.ts";
import type { Changes } from "../file-system.ts";
import { bigint, type Descriptors } from "./descriptors-node.ts";
import type { ExactTime, Metadata } from "./metadata.ts";
import { Access, FORMAT_MASK, type FolderNode } from "./node.ts";
import { changeMode, changeOwner, type Known, permitted } from "./owner-node.ts";
import { guestMode, guestTime, type HostUser, PERMISSIONS, withoutPrivileges } from "./presentation.ts";
import { withoutCapability } from "./xattrs.ts";

/** Makes changes, in the order in which they depend on each other: times come last. */
export function applyChanges(
  descriptors: Descriptors,
  node: FolderNode,
  metadata: Metadata | undefined,
  changes: Changes,
  user: HostUser,
): Known {
  const { size, uid, gid, mode, atimeNs, mtimeNs, killPrivileges } = changes;
  if (size !== undefined) ftruncateSync(descriptors.of(node, Access.write), expectSize(size));
  const descriptor = descriptors.of(node);
  let known: Known = { stat: fstatSync(descriptor, bigint), metadata };
  if (size !== undefined || killPrivileges) known = dropPrivileges(descriptor, known, killPrivileges === true, user);
  if (uid !== undefined || gid !== undefined) {
    const { stat, metadata: before } = known;
    known = changeOwner(descriptor, { stat, metadata: withoutCapability(before) }, { uid, gid }, user);
  }
  if (mode !== undefined) {
    const type = guestMode(known.stat, known.metadata) & FORMAT_MASK;
    known = changeMode(descriptor, known, type | (mode & PERMISSIONS), user);
  }
  if (atimeNs !== undefined || mtimeNs !== undefined) known = changeTimes(descriptor, known, atimeNs, mtimeNs);
  return known;
}

/** What a change of content takes away: capabilities always, bits of the mode if the writer may not keep them. */
export function dropPrivileges(descriptor: number, { stat, metadata }: Known, bits: boolean, user: HostUser): Known {
  const known = { stat, metadata: withoutCapability(metadata) };
  const mode = guestMode(stat, metadata);
  const kept = bits ? withoutPrivileges(mode) : mode;
  return kept === mode ? known : changeMode(descriptor, known, kept, user);
}

/**
 * Sets times. The host takes them as floating-point seconds, which are not exact to the nanosecond, and only both at once;
 * so the exact ones go into the record where they differ.
 */
function changeTimes(
  descriptor: number,
  { stat: before, metadata }: Known,
  atime: Changes["atimeNs"],
  mtime: Changes["mtimeNs"],
): Known {
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const mtimeBefore = guestTime(before.mtimeNs, metadata?.mtime);
  const [a, m] = [wantedTime(atime, before.atimeNs, nowNs), wantedTime(mtime, mtimeBefore, nowNs)];
  permitted(() => utimesSync(`/proc/self/fd/${descriptor}`, seconds(a), seconds(m)));
  const stat = fstatSync(descriptor, bigint);
  const times = {
    atime: typeof atime === "bigint" ? timeRecord(a, stat.atimeNs) : undefined,
    mtime: mtime === "now" ? undefined : timeRecord(m, stat.mtimeNs),
  };
  return { stat, metadata: { ...metadata, ...times } };
}

const wantedTime = (wanted: Changes["atimeNs"], before: bigint, nowNs: bigint): bigint =>
  wanted === undefined ? before : wanted === "now" ? nowNs : wanted;

const timeRecord = (exactNs: bigint, hostNs: bigint): ExactTime | undefined =>
  exactNs === hostNs ? undefined : { exactNs, hostNs };

const seconds = (ns: bigint): number => Number(ns / 1_000_000_000n) + Number(ns % 1_000_000_000n) / 1e9;

function expectSize(size: number): number {
  if (size < 0 || !Number.isSafeInteger(size)) throw refusal(Errno.EFBIG);
  return size;
}
