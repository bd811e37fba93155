/** What each opcode does, but for those that move data. Arguments are read in order; the answer is put together. */
import { Errno, refusal } from "../errno.ts";
import type { Changes, Entry, FileSystem, Listed } from "../file-system.ts";
import type { DirectoryHandles } from "./directories.ts";
import { ENTRY_BYTES, FSYNC_DATA, Opcode, RenameFlag, SetAttribute } from "./protocol.ts";
import { directoryEntryBytes, type FuseReply, type Validity } from "./reply.ts";
import type { FuseRequest } from "./request.ts";

/** What an operation works with; one for all requests. */
export interface Work {
  readonly files: FileSystem;
  readonly request: FuseRequest;
  readonly reply: FuseReply;
  readonly validity: Validity;
  readonly directories: DirectoryHandles;
  /** Bytes that the answer may have behind its header. */
  room: number;
}

type Operation = (work: Work) => void;

const NS = 1_000_000_000n;

function lookup({ files, request, reply, validity }: Work): void {
  const entry = files.lookup(request.node, request.name());
  if (entry === undefined) throw refusal(Errno.ENOENT);
  reply.entry(entry, validity);
}

/** Where only the guest changes files it may remember what there is not. */
function lookupKeeping(work: Work): void {
  const { files, request, reply, validity } = work;
  const entry = files.lookup(request.node, request.name());
  if (entry === undefined) reply.noEntry(validity.entryMs);
  else reply.entry(entry, validity);
}

function getattr({ files, request, reply, validity }: Work): void {
  reply.attributesOut(files.attributes(request.node), validity);
}

function setattr({ files, request, reply, validity }: Work): void {
  const valid = request.u32();
  request.skip(12);
  const size = request.u64();
  request.skip(8);
  const [atime, mtime] = [request.i64(), request.i64()];
  request.skip(8);
  const [atimeNs, mtimeNs] = [request.u32(), request.u32()];
  request.skip(4);
  const mode = request.u32();
  request.skip(4);
  const [uid, gid] = [request.u32(), request.u32()];
  const has = (flag: number): boolean => (valid & flag) !== 0;
  if (has(SetAttribute.size) && !Number.isSafeInteger(size)) throw refusal(Errno.EFBIG);
  const changes: Changes = {
    ...(has(SetAttribute.mode) && { mode }),
    ...(has(SetAttribute.uid) && { uid }),
    ...(has(SetAttribute.gid) && { gid }),
    ...(has(SetAttribute.size) && { size }),
    ...(has(SetAttribute.atime) && { atimeNs: atime * NS + BigInt(atimeNs) }),
    ...(has(SetAttribute.mtime) && { mtimeNs: mtime * NS + BigInt(mtimeNs) }),
    ...(has(SetAttribute.atimeNow) && { atimeNs: "now" }),
    ...(has(SetAttribute.mtimeNow) && { mtimeNs: "now" }),
    ...(has(SetAttribute.killPrivileges) && { killPrivileges: true }),
  };
  reply.attributesOut(files.change(request.node, changes), validity);
}

function symlink({ files, request, reply, validity }: Work): void {
  const name = request.name();
  reply.entry(files.makeLink(request.node, name, request.target(), request), validity);
}

function mknod({ files, request, reply, validity }: Work): void {
  const [mode, rdev] = [request.u32(), request.u32()];
  request.skip(8);
  reply.entry(files.makeNode(request.node, request.name(), mode, rdev, request), validity);
}

function mkdir({ files, request, reply, validity }: Work): void {
  const mode = request.u32();
  request.skip(4);
  reply.entry(files.makeDirectory(request.node, request.name(), mode, request), validity);
}

function rename({ files, request }: Work): void {
  const to = request.u64();
  files.rename(request.node, request.name(), to, request.name(), false);
}

function rename2({ files, request }: Work): void {
  const to = request.u64();
  const flags = request.u32();
  request.skip(4);
  // Exchanging two names and leaving a whiteout behind cannot be done at once here.
  if ((flags & ~RenameFlag.noReplace) !== 0) throw refusal(Errno.EINVAL);
  files.rename(request.node, request.name(), to, request.name(), flags === RenameFlag.noReplace);
}

function link({ files, request, reply, validity }: Work): void {
  const node = request.u64();
  reply.entry(files.link(node, request.node, request.name()), validity);
}

function fsync({ files, request }: Work): void {
  request.skip(8);
  files.sync(request.node, (request.u32() & FSYNC_DATA) !== 0);
}

function setxattr({ files, request }: Work): void {
  const [size, flags] = [request.u32(), request.u32()];
  const name = request.name();
  files.setXattr(request.node, name, request.bytes(size), flags);
}

function getxattr({ files, request, reply, room }: Work): void {
  const size = request.u32();
  request.skip(4);
  const value = files.getXattr(request.node, request.name());
  if (value === undefined) throw refusal(Errno.ENODATA);
  answerXattr(reply, value, size, room);
}

function listxattr({ files, request, reply, room }: Work): void {
  const size = request.u32();
  const names = files.listXattr(request.node);
  const list = Uint8Array.from(names.map((name) => `${name}\0`).join(""), (char) => char.charCodeAt(0));
  answerXattr(reply, list, size, room);
}

/** A size of 0 asks how long a value is. */
function answerXattr(reply: FuseReply, value: Uint8Array, size: number, room: number): void {
  if (size === 0) {
    reply.u32(value.length);
    reply.u32(0);
  } else if (value.length > size || value.length > room) throw refusal(Errno.ERANGE);
  else reply.put(value);
}

function opendir({ directories, reply }: Work): void {
  reply.u64(directories.open());
  reply.u64(0);
}

function readdir(work: Work): void {
  readEntries(work, (entry, offset, room) => {
    if (directoryEntryBytes(entry.name) > room) return false;
    work.reply.directoryEntry(entry, offset);
    return true;
  });
}

/** Entries with what LOOKUP would say of each. One that has gone since the list was taken is left out. */
function readdirplus(work: Work): void {
  const { files, reply, request, validity } = work;
  readEntries(work, (entry, offset, room) => {
    if (ENTRY_BYTES + directoryEntryBytes(entry.name) > room) return false;
    if (entry.name === "." || entry.name === "..") reply.noEntry(0);
    else {
      const found = lookupListed(files, request.node, entry.name);
      if (found === undefined) return true;
      if (found === "refused") reply.noEntry(0);
      else {
        reply.entry(found, validity);
        const { ino, mode } = found.attributes;
        reply.directoryEntry({ name: entry.name, ino, type: (mode >> 12) & 15 }, offset);
        return true;
      }
    }
    reply.directoryEntry(entry, offset);
    return true;
  });
}

/** One entry that cannot be looked at must not hide the others. */
function lookupListed(files: FileSystem, node: number, name: string): Entry | "refused" | undefined {
  try {
    return files.lookup(node, name);
  } catch {
    return "refused";
  }
}

const DIRECTORY = 4;

function readEntries(
  { files, request, reply, directories, room }: Work,
  put: (entry: Listed, offset: number, room: number) => boolean,
): void {
  const handle = request.u64();
  const start = request.u64();
  const size = Math.min(request.u32(), room);
  const list = directories.list(handle, start, () => files.list(request.node));
  const before = reply.length;
  const dots = [".", ".."].map((name) => ({ name, ino: 1n, type: DIRECTORY }));
  for (let at = start; at < list.length + dots.length; at++) {
    const entry = at < dots.length ? dots[at] : list[at - dots.length];
    if (!put(entry, at + 1, size - (reply.length - before))) break;
  }
}

const done: Operation = () => {};

/**
 * Every opcode that is known. OPEN, CREATE and FLUSH are refused for good: a guest does without them then, and makes files
 * by MKNOD. SYNCFS too: FSYNC makes a file durable, while `sync` of a guest only hands everything to the host.
 */
export const operations: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [Opcode.lookup, (work) => (work.validity.entryMs > 1000 ? lookupKeeping(work) : lookup(work))],
  [Opcode.getattr, getattr],
  [Opcode.setattr, setattr],
  [Opcode.readlink, ({ files, request, reply }) => reply.put(files.readLink(request.node))],
  [Opcode.symlink, symlink],
  [Opcode.mknod, mknod],
  [Opcode.mkdir, mkdir],
  [Opcode.unlink, ({ files, request }) => files.unlink(request.node, request.name())],
  [Opcode.rmdir, ({ files, request }) => files.removeDirectory(request.node, request.name())],
  [Opcode.rename, rename],
  [Opcode.rename2, rename2],
  [Opcode.link, link],
  [Opcode.statfs, ({ files, reply }) => reply.statistics(files.statistics())],
  [Opcode.release, done],
  [Opcode.fsync, fsync],
  [Opcode.fsyncdir, fsync],
  [Opcode.setxattr, setxattr],
  [Opcode.getxattr, getxattr],
  [Opcode.listxattr, listxattr],
  [Opcode.removexattr, ({ files, request }) => files.removeXattr(request.node, request.name())],
  [Opcode.opendir, opendir],
  [Opcode.readdir, readdir],
  [Opcode.readdirplus, readdirplus],
  [Opcode.releasedir, ({ directories, request }) => directories.close(request.u64())],
]);

const readOnly: ReadonlySet<number> = new Set([
  Opcode.lookup,
  Opcode.getattr,
  Opcode.readlink,
  Opcode.statfs,
  Opcode.release,
  Opcode.fsync,
  Opcode.fsyncdir,
  Opcode.getxattr,
  Opcode.listxattr,
  Opcode.opendir,
  Opcode.readdir,
  Opcode.readdirplus,
  Opcode.releasedir,
]);

/** Whether an opcode leaves files as they are. */
export const isReadOnlyOperation = (opcode: number): boolean => readOnly.has(opcode);
