/** Linux error numbers, and an error that carries one to the guest. Numbers are the same on RISC-V and x86. */

export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  E2BIG: 7,
  EBADF: 9,
  ENOMEM: 12,
  EACCES: 13,
  EEXIST: 17,
  EXDEV: 18,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ELOOP: 40,
  ENODATA: 61,
  EOPNOTSUPP: 95,
  ESTALE: 116,
} as const;

/** The answer to a request that cannot be served. Raised by file systems, caught where replies are made. */
export class Refusal extends Error {
  /** A Linux error number, positive. */
  readonly errno: number;

  constructor(errno: number) {
    super(`refused with error ${errno}`);
    this.errno = errno;
  }
}

const refusals = new Map<number, Refusal>();

/** A refusal to throw. The same one each time: making a stack trace costs more than serving a request. */
export function refusal(errno: number): Refusal {
  let found = refusals.get(errno);
  if (found === undefined) {
    found = new Refusal(errno);
    refusals.set(errno, found);
  }
  return found;
}

/** The error number for whatever was thrown. Errors of the host's system calls carry theirs, negative. */
export function errnoOf(error: unknown): number {
  const number = (error as { errno?: unknown }).errno;
  if (typeof number !== "number" || number === 0) return Errno.EIO;
  const positive = Math.abs(number);
  return positive < 4096 ? positive : Errno.EIO;
}
