/**
 * Which mounted file systems a guest may enter: not those by which the host's kernel shows itself. In /proc are the memory of
 * this very process and the descriptors that it holds, and who may write to /sys may do anything.
 */
import { closeSync, constants, fstatSync, openSync, statfsSync } from "node:fs";
import { Errno, refusal } from "../errno.ts";

const O_PATH = 0o10000000;

/** @spec Linux `include/uapi/linux/magic.h` */
const kernels: ReadonlySet<number> = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x63677270, // cgroup2
  0x27e0eb, // cgroup
  0x73636673, // securityfs
  0xf97cff8c, // selinux
  0x62656570, // configfs
  0xcafe4a11, // bpf
  0xde5e81e4, // efivarfs
  0x6165676c, // pstore
  0x42494e4d, // binfmt_misc
]);

export class MountPoints {
  /** By device: whether it may be entered. */
  readonly #known = new Map<bigint, boolean>();

  /** Refuses an object on a device that may not be entered. @param path of the object. Errors: `EACCES`. */
  check(dev: bigint, path: string | Buffer): void {
    let open = this.#known.get(dev);
    if (open === undefined) {
      open = !kernels.has(typeOf(dev, path));
      this.#known.set(dev, open);
    }
    if (!open) throw refusal(Errno.EACCES);
  }
}

/** The type of the file system on a device, by an object that is on it. Errors: `ESTALE` if the path leads elsewhere by now. */
function typeOf(dev: bigint, path: string | Buffer): number {
  const descriptor = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    if (fstatSync(descriptor, { bigint: true }).dev !== dev) throw refusal(Errno.ESTALE);
    return statfsSync(`/proc/self/fd/${descriptor}`).type >>> 0;
  } finally {
    closeSync(descriptor);
  }
}
