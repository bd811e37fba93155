/**
 * A file, directory or anything else that a guest knows of: which object of the host it is, and under which names of the
 * share it was seen. Who owns them: `NodeTable`.
 */

/** Which object of the host: device, inode and, since inodes are used again, when it was made. */
export interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
  /** Nanoseconds; 0 where the host's file system does not say. */
  readonly birthtimeNs: bigint;
}

export interface Place {
  readonly parent: FolderNode;
  readonly name: string;
}

/** What a descriptor of the host is good for. */
export const Access = { path: 0, read: 1, write: 2 } as const;

export const FORMAT_MASK = 0o170000;
export const Format = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  link: 0o120000,
  socket: 0o140000,
} as const;

export class FolderNode {
  readonly id: number;
  identity: Identity;
  /** Type of the host's object; it never changes. */
  readonly format: number;
  /** Names it goes by, the one to use first. The root has none. */
  places: Place[] = [];
  /** Nodes below a directory that are known, by name. */
  children: Map<string, FolderNode> | undefined;
  /** References that the guest holds. */
  references = 0;
  /** Descriptor of the host, or -1. */
  descriptor = -1;
  access: number = Access.path;
  /** Kept open, since no name leads to it any more. */
  pinned = false;
  /** A directory whose new files get its group, in the guest's terms. */
  groupOf: number | undefined;

  constructor(id: number, identity: Identity, format: number) {
    this.id = id;
    this.identity = identity;
    this.format = format;
  }

  get isDirectory(): boolean {
    return this.format === Format.directory;
  }

  get isFile(): boolean {
    return this.format === Format.file;
  }
}

/** Whether what was found is the object that is meant. */
export const isSame = (a: Identity, b: Identity): boolean =>
  a.ino === b.ino && a.dev === b.dev && a.birthtimeNs === b.birthtimeNs;
