// What building an image needs of a machine: run a guest to its end. The hypervisor layer implements it and the
// command line hands it in, so that this package stays below both.

/** A guest to run: files on the host, and what hears its serial console. */
export interface MachineRun {
  /** Path of a RISC-V kernel Image. */
  kernel: string;
  /** Path of an initramfs (cpio, newc). */
  initrd: string;
  /** The kernel's command line. */
  append: string;
  memoryMiB: number;
  /** Paths of raw disks, writable, in order: /dev/vda, /dev/vdb … */
  disks: string[];
  /** Hears the bytes that the guest writes to its serial console. */
  onConsole(bytes: Uint8Array): void;
  /** The guest is stopped after this long. */
  timeoutMs: number;
  /** Stops the guest at once; the promise then rejects with an AbortError. */
  signal?: AbortSignal;
}

/** Why the guest stopped (`poweroff` is the good end; others: `panic`, `reboot`, `timeout` …) and its code. */
export interface MachineStop {
  stopped: string;
  code: number;
}

export type RunMachine = (run: MachineRun) => Promise<MachineStop>;
