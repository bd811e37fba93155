/**
 * A folder of the host as a file system for a guest. The process's own rights are all that a guest gets; it reaches nothing
 * outside of the folder (see `Descriptors`); what the host's files cannot hold is kept in the share's journal
 * (see `MetadataStore`). Who calls it: `FuseSession`.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  statfsSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { Errno, errnoOf, refusal } from "../errno.ts";
import {
  type Attributes,
  type Caller,
  type Changes,
  type Entry,
  type FileSystem,
  type Listed,
  type SavedNode,
  type Statistics,
  UNKNOWN_INO,
  type WriteMode,
} from "../file-system.ts";
import { applyChanges, dropPrivileges } from "./changes-node.ts";
import { readContent, writeContent } from "./content-node.ts";
import { bigint, Descriptors } from "./descriptors-node.ts";
import type { Metadata } from "./metadata.ts";
import { MetadataStore } from "./metadata-store-node.ts";
import { MountPoints } from "./mount-points-node.ts";
import { checkName, checkNewName, isReserved } from "./names-node.ts";
import { Access, FORMAT_MASK, type FolderNode, Format, isSame } from "./node.ts";
import { NodeTable } from "./node-table.ts";
import { giveOwner, permitted } from "./owner-node.ts";
import { attributesOf, type HostUser, hostPermissions, PERMISSIONS, SET_GID } from "./presentation.ts";
import { getXattr, listXattr, withoutXattr, withXattr } from "./xattrs.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_RDWR, O_RDONLY, O_DIRECTORY } = constants;
const O_PATH = 0o10000000;

export interface FolderOptions {
  readonly readOnly?: boolean;
  /** Most nodes that a guest may hold references to. */
  readonly mostNodes?: number;
  /** Most descriptors of the host that are kept open for later. */
  readonly mostDescriptors?: number;
  /** Most files without a name that a guest may still use. */
  readonly mostUnlinked?: number;
  /** Who the process is, for tests. */
  readonly user?: HostUser;
}

/** The user that runs this process. */
export const thisUser = (): HostUser => ({
  uid: process.geteuid?.() ?? 0,
  gid: process.getegid?.() ?? 0,
  privileged: process.geteuid?.() === 0,
  umask: process.umask(),
});

export class HostFolder implements FileSystem {
  readonly readOnly: boolean;
  readonly #user: HostUser;
  readonly #nodes: NodeTable;
  readonly #descriptors: Descriptors;
  readonly #store: MetadataStore;
  readonly #mounts = new MountPoints();
  readonly #dev: bigint;

  /** @param path of a folder, which may be reached through links. Errors: those of the host. */
  constructor(path: string, options: FolderOptions = {}) {
    const { readOnly = false, mostNodes = 1 << 20, mostDescriptors = 1024, mostUnlinked = 1024 } = options;
    this.readOnly = readOnly;
    this.#user = options.user ?? thisUser();
    this.#descriptors = new Descriptors({ cached: mostDescriptors, pinned: mostUnlinked + 1 }, readOnly);
    const root = openSync(path, O_PATH | O_DIRECTORY);
    const stat = fstatSync(root, bigint);
    try {
      this.#mounts.check(stat.dev, `/proc/self/fd/${root}/.`);
    } catch (error) {
      closeSync(root);
      throw error;
    }
    this.#dev = stat.dev;
    this.#nodes = new NodeTable(stat, Format.directory, mostNodes, (node) => this.#drop(node));
    this.#descriptors.adopt(this.#nodes.root, root, Access.path);
    this.#descriptors.hold(this.#nodes.root);
    this.#store = new MetadataStore(`/proc/self/fd/${root}`, readOnly);
  }

  lookup(parent: number, name: string): Entry | undefined {
    checkName(name);
    const directory = this.#nodes.get(parent);
    if (isReserved(name)) return undefined;
    const path = this.#descriptors.pathIn(directory, name);
    const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (stat.dev !== directory.identity.dev) this.#mounts.check(stat.dev, path);
    return this.#entry(directory, name, stat);
  }

  forget(node: number, references: number): void {
    this.#nodes.forget(node, references);
  }

  attributes(id: number): Attributes {
    const node = this.#nodes.get(id);
    return this.#attributes(node, this.#descriptors.stat(node));
  }

  change(id: number, changes: Changes): Attributes {
    const node = this.#nodes.get(id);
    const before = this.#store.get(node.identity);
    const { stat, metadata } = applyChanges(this.#descriptors, node, before, changes, this.#user);
    if (!isSame(node.identity, stat)) this.#renew(node, stat);
    if (metadata !== before) this.#store.set(node.identity, metadata);
    return this.#attributes(node, stat);
  }

  readLink(id: number): Uint8Array {
    const node = this.#nodes.get(id);
    if (node.format !== Format.link) throw refusal(Errno.EINVAL);
    const [place] = node.places;
    if (place === undefined) throw refusal(Errno.ESTALE);
    return readlinkSync(this.#descriptors.pathIn(place.parent, place.name), { encoding: "buffer" });
  }

  makeLink(parent: number, name: string, target: Uint8Array, caller: Caller): Entry {
    return this.#make(parent, name, Format.link | 0o777, caller, (path) => {
      symlinkSync(Buffer.from(target), path);
      return openSync(path, O_PATH | O_NOFOLLOW);
    });
  }

  makeNode(parent: number, name: string, mode: number, rdev: number, caller: Caller): Entry {
    const format = mode & FORMAT_MASK || Format.file;
    if (format === Format.directory || format === Format.link) throw refusal(Errno.EINVAL);
    const isDevice = format === Format.block || format === Format.character;
    const wanted = format | (mode & PERMISSIONS);
    const flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    // Whatever it is to the guest, it is a plain file on the host.
    const make = (path: string | Buffer): number => openSync(path, flags, hostPermissions(mode, false, this.#user));
    return this.#make(parent, name, wanted, caller, make, isDevice ? rdev : undefined);
  }

  makeDirectory(parent: number, name: string, mode: number, caller: Caller): Entry {
    const inherited = this.#nodes.get(parent).groupOf === undefined ? 0 : SET_GID;
    const wanted = Format.directory | (mode & PERMISSIONS) | inherited;
    return this.#make(parent, name, wanted, caller, (path) => {
      mkdirSync(path, hostPermissions(mode, true, this.#user));
      return openSync(path, O_PATH | O_NOFOLLOW | O_DIRECTORY);
    });
  }

  unlink(parent: number, name: string): void {
    this.#remove(parent, name, unlinkSync);
  }

  removeDirectory(parent: number, name: string): void {
    this.#remove(parent, name, rmdirSync);
  }

  rename(parent: number, name: string, toParent: number, toName: string, noReplace: boolean): void {
    checkName(name);
    checkNewName(toName);
    if (isReserved(name)) throw refusal(Errno.ENOENT);
    const [from, to] = [this.#nodes.get(parent), this.#nodes.get(toParent)];
    const replaced = this.#hold(to, toName);
    try {
      const [path, toPath] = this.#descriptors.pathsIn(from, name, to, toName);
      if (noReplace && lstatSync(toPath, { throwIfNoEntry: false }) !== undefined) throw refusal(Errno.EEXIST);
      renameSync(path, toPath);
      const node = this.#nodes.child(from, name);
      if (replaced !== undefined) this.#nodes.unplace(replaced, to, toName);
      if (node !== undefined) {
        this.#nodes.place(node, to, toName);
        this.#nodes.unplace(node, from, name);
      }
    } finally {
      this.#releaseIfNamed(replaced);
    }
  }

  link(id: number, parent: number, name: string): Entry {
    checkNewName(name);
    const [node, to] = [this.#nodes.get(id), this.#nodes.get(parent)];
    const [place] = node.places;
    if (node.isDirectory) throw refusal(Errno.EPERM);
    if (place === undefined) throw refusal(Errno.ENOENT);
    const [path, toPath] = this.#descriptors.pathsIn(place.parent, place.name, to, name);
    linkSync(path, toPath);
    const stat = lstatSync(toPath, bigint);
    if (isSame(node.identity, stat)) return this.#entry(to, name, stat);
    // The name has become that of something else meanwhile.
    unlinkSync(toPath);
    throw refusal(Errno.ESTALE);
  }

  read(id: number, offset: number, into: readonly Uint8Array[]): number {
    return readContent(this.#descriptors.of(this.#nodes.get(id), Access.read), offset, into);
  }

  write(id: number, offset: number, from: readonly Uint8Array[], how: WriteMode): number {
    const node = this.#nodes.get(id);
    if (how.append) return this.#append(node, from, how);
    const written = writeContent(this.#descriptors.of(node, Access.write), offset, from);
    this.#written(node, how);
    return written;
  }

  sync(id: number, dataOnly: boolean): void {
    const node = this.#nodes.get(id);
    if (node.isFile) {
      const descriptor = this.#descriptors.of(node, Access.read);
      if (dataOnly) fdatasyncSync(descriptor);
      else fsyncSync(descriptor);
    } else if (node.isDirectory) {
      const descriptor = openSync(this.#descriptors.pathOf(node), O_RDONLY | O_DIRECTORY);
      try {
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    }
    this.#store.sync();
  }

  statistics(): Statistics {
    const found = statfsSync(this.#descriptors.pathOf(this.#nodes.root), bigint);
    return {
      blocks: found.blocks,
      free: found.bfree,
      available: found.bavail,
      files: found.files,
      filesFree: found.ffree,
      blockBytes: Number(found.bsize),
    };
  }

  list(id: number): readonly Listed[] {
    const node = this.#nodes.get(id);
    if (!node.isDirectory) throw refusal(Errno.ENOTDIR);
    return readdirSync(this.#descriptors.pathOf(node), "latin1")
      .filter((name) => !isReserved(name))
      .map((name) => ({ name, ino: UNKNOWN_INO, type: 0 }));
  }

  getXattr(id: number, name: string): Uint8Array | undefined {
    return getXattr(this.#store.get(this.#nodes.get(id).identity), name);
  }

  listXattr(id: number): readonly string[] {
    return listXattr(this.#store.get(this.#nodes.get(id).identity));
  }

  setXattr(id: number, name: string, value: Uint8Array, flags: number): void {
    const { identity } = this.#nodes.get(id);
    this.#store.set(identity, withXattr(this.#store.get(identity), name, value, flags));
  }

  removeXattr(id: number, name: string): void {
    const { identity } = this.#nodes.get(id);
    this.#store.set(identity, withoutXattr(this.#store.get(identity), name));
  }

  save(): readonly SavedNode[] {
    return [...this.#nodes].map(({ id, identity, format, references, places }) => ({
      id,
      dev: identity.dev,
      ino: identity.ino,
      birthtimeNs: identity.birthtimeNs,
      format,
      references,
      places: places.map(({ parent, name }) => ({ parent: parent.id, name })),
    }));
  }

  restore(nodes: readonly SavedNode[]): void {
    this.#nodes.restore(nodes);
  }

  reset(): void {
    this.#nodes.clear();
  }

  close(): void {
    this.#nodes.clear();
    this.#descriptors.drop(this.#nodes.root);
    this.#store.close();
  }

  #entry(parent: FolderNode, name: string, stat: BigIntStats): Entry {
    const known = this.#nodes.find(stat);
    if (known !== undefined && !isSame(known.identity, stat) && this.#isStill(known, stat)) this.#renew(known, stat);
    const node = this.#nodes.refer(stat, Number(stat.mode) & FORMAT_MASK, parent, name);
    return { node: node.id, attributes: this.#attributes(node, stat) };
  }

  /** Whether what is held open for a node is what was found, though it was made at another time. */
  #isStill(node: FolderNode, stat: BigIntStats): boolean {
    return node.descriptor >= 0 && isSame(fstatSync(node.descriptor, bigint), stat);
  }

  /** The first change of a file in a lower layer of an overlay makes it another one on the host, of a later birth. */
  #renew(node: FolderNode, { dev, ino, birthtimeNs }: BigIntStats): void {
    const metadata = this.#store.get(node.identity);
    const before = node.identity;
    this.#nodes.renew(node, { dev, ino, birthtimeNs });
    if (metadata === undefined || this.readOnly) return;
    this.#store.set(node.identity, metadata);
    this.#store.set(before, undefined);
  }

  #attributes(node: FolderNode, stat: BigIntStats): Attributes {
    const attributes = attributesOf(stat, this.#store.get(node.identity), this.#user, this.#dev);
    if (node.isDirectory) node.groupOf = (attributes.mode & SET_GID) !== 0 ? attributes.gid : undefined;
    return attributes;
  }

  /** Makes something by its path, which gives a descriptor for it, and then sees to its owner and mode. */
  #make(
    parent: number,
    name: string,
    mode: number,
    { uid, gid }: Caller,
    make: (path: string | Buffer) => number,
    rdev?: number,
  ): Entry {
    checkNewName(name);
    const directory = this.#nodes.get(parent);
    const path = this.#descriptors.pathIn(directory, name);
    const descriptor = this.#descriptors.withRoom(() => make(path));
    try {
      const owner = { uid, gid: directory.groupOf ?? gid };
      const { stat, metadata } = giveOwner(descriptor, mode, owner, this.#user);
      const all: Metadata = rdev === undefined ? metadata : { ...metadata, rdev };
      this.#store.set(stat, all);
      const entry = this.#entry(directory, name, stat);
      const access = isDirectory(mode) || (mode & FORMAT_MASK) === Format.link ? Access.path : Access.write;
      this.#descriptors.adopt(this.#nodes.get(entry.node), descriptor, access);
      return entry;
    } catch (error) {
      closeSync(descriptor);
      permitted(() => (isDirectory(mode) ? rmdirSync(path) : unlinkSync(path)));
      throw error;
    }
  }

  #append(node: FolderNode, from: readonly Uint8Array[], how: WriteMode): number {
    const descriptor = this.#descriptors.openForAppend(node);
    try {
      return writeContent(descriptor, null, from);
    } finally {
      closeSync(descriptor);
      this.#written(node, how);
    }
  }

  /** Takes away what does not outlive a change of content. */
  #written(node: FolderNode, { killPrivileges }: WriteMode): void {
    const metadata = this.#store.get(node.identity);
    if (!killPrivileges && metadata?.xattrs === undefined) return;
    const known = { stat: this.#descriptors.stat(node), metadata };
    const after = dropPrivileges(this.#descriptors.of(node), known, killPrivileges, this.#user);
    if (after.metadata !== metadata) this.#store.set(node.identity, after.metadata);
  }

  #remove(parent: number, name: string, remove: (path: string | Buffer) => void): void {
    checkName(name);
    if (isReserved(name)) throw refusal(Errno.ENOENT);
    const directory = this.#nodes.get(parent);
    const node = this.#hold(directory, name);
    try {
      remove(this.#descriptors.pathIn(directory, name));
      if (node !== undefined) this.#nodes.unplace(node, directory, name);
    } finally {
      this.#releaseIfNamed(node);
    }
  }

  /** The node of a name that is about to go: the guest may go on using it without one. */
  #hold(parent: FolderNode, name: string): FolderNode | undefined {
    const node = this.#nodes.child(parent, name);
    if (node === undefined) return undefined;
    try {
      this.#descriptors.hold(node);
    } catch (error) {
      // The name leads to something else by now, or to nothing.
      if (errnoOf(error) !== Errno.ESTALE) throw error;
    }
    return node;
  }

  #releaseIfNamed(node: FolderNode | undefined): void {
    if (node !== undefined && node.places.length > 0) this.#descriptors.release(node);
  }

  /** Nobody needs a node any more. What is recorded of an object without a name goes with it. */
  #drop(node: FolderNode): void {
    if (node.pinned && node !== this.#nodes.root) this.#dropRecord(node);
    this.#descriptors.drop(node);
  }

  #dropRecord(node: FolderNode): void {
    if (this.readOnly || this.#store.size === 0) return;
    permitted(() => {
      if (fstatSync(node.descriptor, bigint).nlink === 0n) this.#store.set(node.identity, undefined);
    });
  }
}

const isDirectory = (mode: number): boolean => (mode & FORMAT_MASK) === Format.directory;
