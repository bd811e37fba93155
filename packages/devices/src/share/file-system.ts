/**
 * A file system as the FUSE session uses it. Nodes are numbers that the guest holds until it forgets them. Names are
 * byte strings: one character below 256 per byte, as they are on a Linux host. Who implements it: `HostFolder`.
 * All methods throw what `errnoOf` understands.
 */

/** Attributes of a node, in a guest's terms. Times are nanoseconds since 1970. */
export interface Attributes {
  readonly ino: bigint;
  readonly size: bigint;
  /** Of 512 bytes. */
  readonly blocks: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** Type and permissions. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  /** As Linux encodes it in 32 bits. */
  readonly rdev: number;
}

/** A node that a name stands for; the guest holds one more reference to it from now on. */
export interface Entry {
  readonly node: number;
  readonly attributes: Attributes;
}

/** What a guest wants changed; `"now"` is the host's time. */
export interface Changes {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly atimeNs?: bigint | "now";
  readonly mtimeNs?: bigint | "now";
  /** Set-user-id, set-group-id and capabilities are to go. */
  readonly killPrivileges?: boolean;
}

/** The user of the guest that makes something. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
}

/** What stands for a node's number where it is not known. */
export const UNKNOWN_INO = 0xffff_ffffn;

/** An entry of a directory; `type` is the four bits of a mode, 0 if unknown. */
export interface Listed {
  readonly name: string;
  readonly ino: bigint;
  readonly type: number;
}

/** Of a whole file system, as `statfs` has them. */
export interface Statistics {
  readonly blocks: bigint;
  readonly free: bigint;
  readonly available: bigint;
  readonly files: bigint;
  readonly filesFree: bigint;
  readonly blockBytes: number;
}

/** A node as it is saved: what it was, by which names it is found again, and how many references the guest holds. */
export interface SavedNode {
  readonly id: number;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly birthtimeNs: bigint;
  readonly format: number;
  readonly references: number;
  readonly places: readonly { readonly parent: number; readonly name: string }[];
}

export interface WriteMode {
  /** Write at the end, wherever that is by now. */
  readonly append: boolean;
  /** Set-user-id, set-group-id and capabilities are to go. */
  readonly killPrivileges: boolean;
}

export interface FileSystem {
  readonly readOnly: boolean;
  /** undefined if there is no such name. */
  lookup(parent: number, name: string): Entry | undefined;
  /** The guest gives references up. Must not throw. */
  forget(node: number, references: number): void;
  attributes(node: number): Attributes;
  change(node: number, changes: Changes): Attributes;
  readLink(node: number): Uint8Array;
  makeLink(parent: number, name: string, target: Uint8Array, caller: Caller): Entry;
  /** Makes anything but a directory or a symbolic link. */
  makeNode(parent: number, name: string, mode: number, rdev: number, caller: Caller): Entry;
  makeDirectory(parent: number, name: string, mode: number, caller: Caller): Entry;
  unlink(parent: number, name: string): void;
  removeDirectory(parent: number, name: string): void;
  /** @param noReplace fail if there is something of the new name. */
  rename(parent: number, name: string, toParent: number, toName: string, noReplace: boolean): void;
  /** Another name for a node. */
  link(node: number, parent: number, name: string): Entry;
  /** @returns bytes read: fewer at the end of the file. */
  read(node: number, offset: number, into: readonly Uint8Array[]): number;
  /** @returns bytes written. */
  write(node: number, offset: number, from: readonly Uint8Array[], how: WriteMode): number;
  /** Returns when a node is on stable storage. */
  sync(node: number, dataOnly: boolean): void;
  statistics(): Statistics;
  /** All entries of a directory but `.` and `..`. */
  list(node: number): readonly Listed[];
  getXattr(node: number, name: string): Uint8Array | undefined;
  listXattr(node: number): readonly string[];
  /** @param flags of `XattrFlag`. */
  setXattr(node: number, name: string, value: Uint8Array, flags: number): void;
  removeXattr(node: number, name: string): void;
  save(): readonly SavedNode[];
  /** Takes nodes over, after a reset. One whose file has gone meanwhile is stale to the guest. */
  restore(nodes: readonly SavedNode[]): void;
  /** The guest has forgotten everything: it was reset or has unmounted. Must not throw. */
  reset(): void;
  close(): void;
}
