/** Every way in which bulkhead itself fails: its code, its exit code and what it means. `--help` prints this table. */

export interface Failure {
  readonly exit: number;
  readonly meaning: string;
}

/** A command's own exit code passes through, so these keep away from the codes that programs and shells use. */
export const failures = {
  "snapshot-failed": { exit: 90, meaning: "a snapshot could not be taken" },
  "snapshot-mismatch": { exit: 91, meaning: "a snapshot is of another machine" },
  "snapshot-foreign": { exit: 92, meaning: "a file is no snapshot that this version can use" },
  "snapshot-corrupt": { exit: 93, meaning: "a snapshot is damaged" },
  "uplink-failed": { exit: 96, meaning: "a network of the guest's cannot be reached" },
  "disk-unreachable": { exit: 94, meaning: "an NBD server cannot be used" },
  "port-in-use": { exit: 97, meaning: "a port to publish is in use, or not for this user" },
  "file-unwritable": { exit: 98, meaning: "a file cannot be written" },
  "cache-unwritable": { exit: 99, meaning: "the cache of images cannot be written" },
  internal: { exit: 100, meaning: "a defect in bulkhead (set BULKHEAD_DEBUG=1 to see where)" },
  usage: { exit: 101, meaning: "the command line makes no sense" },
  "image-unknown": { exit: 102, meaning: "there is no image of that name" },
  "image-missing": { exit: 103, meaning: "the image has not been built" },
  "file-missing": { exit: 104, meaning: "a file does not exist" },
  "file-unreadable": { exit: 105, meaning: "a file cannot be read" },
  "disk-read-only": { exit: 106, meaning: "a disk's file is read-only" },
  "disk-truncated": { exit: 107, meaning: "a disk's file is empty or truncated" },
  "disk-format": { exit: 108, meaning: "a disk's image is of a format that cannot be used, or corrupt" },
  "disk-in-use": { exit: 109, meaning: "a disk or an image is in use by another process" },
  "kernel-format": { exit: 110, meaning: "the kernel is not a RISC-V Image" },
  "initrd-too-large": { exit: 111, meaning: "the initrd does not fit into memory" },
  "memory-too-small": { exit: 112, meaning: "the memory is too small to boot" },
  "memory-unavailable": { exit: 113, meaning: "the host cannot give that much memory" },
  network: { exit: 114, meaning: "no network, or the mirror does not answer" },
  signature: { exit: 115, meaning: "a release file's signature is wrong" },
  checksum: { exit: 116, meaning: "a download's checksum is wrong" },
  "disk-full": { exit: 117, meaning: "the host's disk is full" },
  "build-failed": { exit: 118, meaning: "an image could not be built" },
  "guest-panic": { exit: 119, meaning: "the guest's kernel panicked" },
  "guest-stuck": { exit: 121, meaning: "the guest has halted for ever" },
  "guest-stopped": { exit: 122, meaning: "the guest powered off before the command ended" },
  killed: { exit: 123, meaning: "the user stopped the machine" },
} as const satisfies Record<string, Failure>;

export type FailureCode = keyof typeof failures;

/** Exit code of bin/bulkhead.js where no usable Node.js was found; it cannot import this file. */
export const EXIT_OLD_NODE = 120;

/** The table for `--help`, sorted by exit code. */
export function exitCodeTable(): string {
  const rows: Failure[] = [...Object.values(failures), { exit: EXIT_OLD_NODE, meaning: "Node.js is too old" }];
  rows.sort((a, b) => a.exit - b.exit);
  return rows.map(({ exit, meaning }) => `  ${exit}  ${meaning}`).join("\n");
}
