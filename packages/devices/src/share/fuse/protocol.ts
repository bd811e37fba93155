/**
 * Numbers of the FUSE protocol as Linux speaks it over virtio: opcodes, flags, sizes of structures.
 * @spec fuse.h "FUSE: Filesystem in Userspace", protocol 7.38; virtio "File System Device"
 */

export const FUSE_MAJOR = 7;
/** The newest minor version whose structures are known here. */
export const FUSE_MINOR = 38;
/** The oldest one that has the shape of structures used here. */
export const LEAST_MINOR = 27;

export const IN_HEADER_BYTES = 40;
export const OUT_HEADER_BYTES = 16;
export const WRITE_IN_BYTES = 40;
export const ATTRIBUTES_BYTES = 88;
export const ENTRY_BYTES = 40 + ATTRIBUTES_BYTES;
/** Of an entry of a directory, without its name. */
export const DIRENT_BYTES = 24;

export const ROOT_NODE = 1;

export const Opcode = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  setattr: 4,
  readlink: 5,
  symlink: 6,
  mknod: 8,
  mkdir: 9,
  unlink: 10,
  rmdir: 11,
  rename: 12,
  link: 13,
  open: 14,
  read: 15,
  write: 16,
  statfs: 17,
  release: 18,
  fsync: 20,
  setxattr: 21,
  getxattr: 22,
  listxattr: 23,
  removexattr: 24,
  flush: 25,
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  fsyncdir: 30,
  create: 35,
  interrupt: 36,
  destroy: 38,
  batchForget: 42,
  fallocate: 43,
  readdirplus: 44,
  rename2: 45,
  lseek: 46,
  copyFileRange: 47,
} as const;

/** What a driver offers and a server accepts, in INIT. */
export const InitFlag = {
  asyncRead: 1 << 0,
  bigWrites: 1 << 5,
  autoInvalidate: 1 << 12,
  readdirplus: 1 << 13,
  asyncDirect: 1 << 15,
  writebackCache: 1 << 16,
  noOpen: 1 << 17,
  parallelDirectories: 1 << 18,
  maxPages: 1 << 22,
  cacheSymlinks: 1 << 23,
  killPrivileges: 1 << 28,
} as const;

/** `valid` of SETATTR. */
export const SetAttribute = {
  mode: 1 << 0,
  uid: 1 << 1,
  gid: 1 << 2,
  size: 1 << 3,
  atime: 1 << 4,
  mtime: 1 << 5,
  atimeNow: 1 << 7,
  mtimeNow: 1 << 8,
  killPrivileges: 1 << 11,
} as const;

/** `cache`: written back from the guest's page cache. */
export const WriteFlag = { cache: 1 << 0, killPrivileges: 1 << 2 } as const;

/** Flags of an open file as the guest's architecture (asm-generic) has them; only what matters here. */
export const O_APPEND = 0o2000;

export const RenameFlag = { noReplace: 1, exchange: 2, whiteout: 4 } as const;

/** `flags` of setxattr. */
export const XattrFlag = { create: 1, replace: 2 } as const;

/** Data only, in FSYNC. */
export const FSYNC_DATA = 1;
