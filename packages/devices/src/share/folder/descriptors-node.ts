/**
 * The host's descriptors for nodes: opened by name below a descriptor that is held, checked to be the object that is
 * meant, and kept, of those used last a bounded number. This is the only place that opens anything for a guest: names are never
 * followed through symbolic links, and nothing but files and directories is ever opened for more than its path.
 */
import { type BigIntStats, closeSync, constants, fstatSync, lstatSync, openSync } from "node:fs";
import { Errno, refusal } from "../errno.ts";
import { pathIn } from "./names-node.ts";
import { Access, FORMAT_MASK, type FolderNode, isSame } from "./node.ts";

const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW, O_NOCTTY, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY, O_APPEND } = constants;
export const bigint = { bigint: true } as const;

export interface DescriptorLimits {
  /** Most descriptors that are kept for later. */
  readonly cached: number;
  /** Most of files without a name that a guest still uses. */
  readonly pinned: number;
}

export class Descriptors {
  readonly #limits: DescriptorLimits;
  readonly #readOnly: boolean;
  /** Nodes with a descriptor, in the order of its last use; not those that are pinned. */
  readonly #cached = new Set<FolderNode>();
  #pinned = 0;
  /** Not to be closed now. */
  #inUse: FolderNode | undefined;

  constructor(limits: DescriptorLimits, readOnly: boolean) {
    this.#limits = limits;
    this.#readOnly = readOnly;
  }

  get open(): number {
    return this.#cached.size + this.#pinned;
  }

  /** A descriptor of a node, good for at least `access`. It is valid until the next call. */
  of(node: FolderNode, access: number = Access.path): number {
    if (node.descriptor >= 0 && node.access >= access) {
      this.#touch(node);
      return node.descriptor;
    }
    if (access === Access.write && this.#readOnly) throw refusal(Errno.EROFS);
    if (access > Access.path && !node.isFile) throw refusal(node.isDirectory ? Errno.EISDIR : Errno.EINVAL);
    if (node.descriptor < 0) this.adopt(node, this.#openPath(node), Access.path);
    if (access > Access.path) this.#reopen(node, access);
    return node.descriptor;
  }

  /** Where a node can be named for system calls that take a path: one that leads to just this object. */
  pathOf(node: FolderNode): string {
    return `/proc/self/fd/${this.of(node)}`;
  }

  /** The path of a name in a directory. */
  pathIn(directory: FolderNode, name: string): string | Buffer {
    if (!directory.isDirectory) throw refusal(Errno.ENOTDIR);
    return pathIn(this.of(directory), name);
  }

  /** The paths of two names, in directories that are both open at once. */
  pathsIn(
    directory: FolderNode,
    name: string,
    other: FolderNode,
    otherName: string,
  ): [string | Buffer, string | Buffer] {
    const from = this.pathIn(directory, name);
    // Opening the second one must not close the first.
    this.#inUse = directory;
    try {
      return [from, this.pathIn(other, otherName)];
    } finally {
      this.#inUse = undefined;
    }
  }

  /** Attributes of the host's object that a node stands for. */
  stat(node: FolderNode): BigIntStats {
    if (node.descriptor >= 0) {
      this.#touch(node);
      return fstatSync(node.descriptor, bigint);
    }
    for (const { parent, name } of node.places) {
      const stat = lstatSync(this.pathIn(parent, name), { bigint: true, throwIfNoEntry: false });
      if (stat !== undefined && isNode(node, stat)) return stat;
    }
    throw refusal(Errno.ESTALE);
  }

  /** A descriptor of its own for one use, to be closed by the caller. */
  openForAppend(node: FolderNode): number {
    return openSync(this.pathOf(node), O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK);
  }

  /** Keeps a descriptor that was opened elsewhere for a node. */
  adopt(node: FolderNode, descriptor: number, access: number): void {
    if (node.descriptor >= 0) closeSync(node.descriptor);
    else if (!node.pinned && this.#cached.size >= this.#limits.cached) this.#evict(1);
    node.descriptor = descriptor;
    node.access = access;
    if (!node.pinned) this.#touch(node);
  }

  /** Holds a node's object, whose last name is about to go. */
  hold(node: FolderNode): void {
    if (node.pinned) return;
    if (this.#pinned >= this.#limits.pinned) {
      // Nobody can do anything with a directory that is removed.
      if (node.isDirectory) return;
      throw refusal(Errno.ENFILE);
    }
    this.of(node);
    this.#cached.delete(node);
    node.pinned = true;
    this.#pinned++;
  }

  /** The opposite of `hold`, where a name is left. */
  release(node: FolderNode): void {
    if (!node.pinned) return;
    node.pinned = false;
    this.#pinned--;
    this.#touch(node);
  }

  /** Closes what is open for a node. */
  drop(node: FolderNode): void {
    if (node.descriptor < 0) return;
    closeSync(node.descriptor);
    node.descriptor = -1;
    if (node.pinned) this.#pinned--;
    node.pinned = false;
    this.#cached.delete(node);
  }

  /** Opens something, with fewer descriptors kept if the host has none left. */
  withRoom(open: () => number): number {
    try {
      return open();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EMFILE" && code !== "ENFILE") throw error;
      this.#evict(Math.ceil(this.#cached.size / 2));
      return open();
    }
  }

  /** The object itself, without opening it. A long way down is walked from the nearest directory that is open. */
  #openPath(node: FolderNode): number {
    const way = wayTo(node);
    const flags = O_PATH | O_NOFOLLOW;
    for (const [i, step] of way.entries()) {
      const [place] = step.places;
      if (place === undefined) break;
      if (step === node) return this.#openAt(node, flags);
      if (i > 0 || step.descriptor < 0) this.adopt(step, this.#openAt(step, flags | O_DIRECTORY), Access.path);
    }
    throw refusal(Errno.ESTALE);
  }

  /** Opens a node by one of its names in directories that are open, or can be. */
  #openAt(node: FolderNode, flags: number): number {
    let wrong: unknown;
    for (const { parent, name } of node.places) {
      try {
        const descriptor = this.withRoom(() => openSync(this.pathIn(parent, name), flags));
        if (isNode(node, fstatSync(descriptor, bigint))) return descriptor;
        closeSync(descriptor);
      } catch (error) {
        wrong = error;
      }
    }
    const code = (wrong as NodeJS.ErrnoException | undefined)?.code;
    // A name that is gone, or has become something else: the guest has to look again.
    throw wrong === undefined || code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP"
      ? refusal(Errno.ESTALE)
      : wrong;
  }

  /** Opens a file that is held for reading or writing. Of both, if the host allows it. */
  #reopen(node: FolderNode, access: number): void {
    const path = `/proc/self/fd/${node.descriptor}`;
    const flags = O_NOCTTY | O_NONBLOCK;
    const open = (mode: number): number => this.withRoom(() => openSync(path, flags | mode));
    if (access === Access.write) this.adopt(node, open(O_RDWR), Access.write);
    else this.adopt(node, open(O_RDONLY), Access.read);
  }

  #touch(node: FolderNode): void {
    if (node.pinned) return;
    this.#cached.delete(node);
    this.#cached.add(node);
  }

  #evict(count: number): void {
    let left = count;
    for (const node of this.#cached) {
      if (node === this.#inUse) continue;
      if (left-- <= 0) return;
      closeSync(node.descriptor);
      node.descriptor = -1;
      this.#cached.delete(node);
    }
  }
}

const isNode = (node: FolderNode, stat: BigIntStats): boolean =>
  isSame(node.identity, stat) && (Number(stat.mode) & FORMAT_MASK) === node.format;

/** Directories from the nearest one that is open down to a node. */
function wayTo(node: FolderNode): FolderNode[] {
  const way = [node];
  for (let at: FolderNode | undefined = node.places[0]?.parent; at !== undefined; at = at.places[0]?.parent) {
    if (at.descriptor >= 0) break;
    way.push(at);
  }
  return way.reverse();
}
