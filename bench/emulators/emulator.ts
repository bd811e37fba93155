/** What runs a guest: Bulkhead, one of its revisions, or a version of QEMU. Only its command line differs. */

/** A disk that a guest writes to for good. */
export interface WrittenDisk {
  readonly path: string;
  readonly format: "raw" | "qcow2";
}

/** A guest to start. The disks are raw images; what the guest writes to them is thrown away or goes to a copy. */
export interface GuestDescription {
  /** Path of a RISC-V kernel `Image`. */
  readonly kernel: string;
  /** Path of an initramfs. */
  readonly initrd: string;
  /** The kernel's command line. */
  readonly append: string;
  readonly memoryMiB: number;
  readonly cpus: number;
  /** Paths of raw disks, in order: /dev/vda, /dev/vdb … */
  readonly disks: readonly string[];
  /** Disks behind those, each emulator's own. */
  readonly writtenDisks?: readonly WrittenDisk[];
  /** A network device behind a user-mode NAT, through which the guest reaches this host's loopback as 10.0.2.2. */
  readonly network?: boolean;
  /** A folder of this host, in the guest by the tag `share0`. */
  readonly share?: string;
}

/** A program with its arguments. */
export interface CommandLine {
  readonly file: string;
  readonly args: readonly string[];
}

export interface Emulator {
  /** Unique in a run, short enough for a table: `bulkhead`, `QEMU 10.0`. */
  readonly name: string;
  readonly kind: "bulkhead" | "qemu" | "v86";
  /** What it says of itself. */
  readonly version: string;
  /** The guest writes straight into the disks it is given, so it must be given copies. */
  readonly needsOwnDisks: boolean;
  /** The program that runs the guest with its serial console on standard input and output. */
  commandLine(guest: GuestDescription): CommandLine;
}
