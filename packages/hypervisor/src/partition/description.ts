/** What a partition is made of, as plain data that can be posted to the thread that runs it. */
import type { CachePolicy, DiskLimits } from "@bulkhead/devices";

/** A disk. Slot n of the machine holds disk n: a Linux guest sees vda, vdb … in this order. */
export interface DiskDescription {
  /** Path of a raw or qcow2 image on the host, or the URL of an NBD export: `nbd://` or `nbd+unix://`. */
  readonly path: string;
  /** Format of an image. Default: what its first bytes say; then a guest must not change what they say. */
  readonly format?: "raw" | "qcow2";
  /** The guest's writes are refused. */
  readonly readOnly: boolean;
  /** `direct` writes into the file; `overlay` keeps writes aside and throws them away when the partition stops. */
  readonly mode: "direct" | "overlay";
  /** Serve it in a thread of its own, so that slow storage does not hold the guest up. A server's disks always are. */
  readonly thread?: boolean;
  /** How much the guest may ask of it. Default: no limits. */
  readonly limits?: DiskLimits;
}

/** A network device. It comes behind the disks in the machine's slots: a Linux guest sees eth0, eth1 … in this order. */
export interface NetworkDescription {
  /** Ethernet address, a number of 48 bits. */
  readonly mac: number;
  /** Bytes of a packet. Default: 1500. */
  readonly mtu?: number;
  /** The NAT is at the far end: what needs nobody of it but its addresses is answered where the device is. */
  readonly nat?: boolean;
}

/** A folder of the host. It comes behind the networks in the machine's slots. */
export interface ShareDescription {
  readonly path: string;
  /** What the guest mounts it by: 1 to 36 bytes. */
  readonly tag: string;
  /** The guest's changes are refused. */
  readonly readOnly: boolean;
  /** How long a guest may rely on what it has seen of the folder. Default: `auto`, a second. */
  readonly cache?: CachePolicy;
  /** Serve it in a thread of its own, so that slow storage does not hold the guest up. */
  readonly thread?: boolean;
}

/** A socket device. */
export interface VsockDescription {
  /** The guest's address, from 3 on. */
  readonly cid: number;
}

/** Start of a kernel `Image` in S-mode, with the SBI of the hypervisor. */
export interface KernelBoot {
  readonly kernel: string;
  readonly initrd?: string;
  /** The kernel's command line. */
  readonly append?: string;
}

/** Start of firmware in M-mode. A kernel, where given, is loaded where OpenSBI's `fw_dynamic` and U-Boot look for it. */
export interface FirmwareBoot {
  readonly firmware: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly append?: string;
}

export interface PartitionDescription {
  readonly memoryMiB: number;
  /** How much of it the guest is asked to give up again when it starts. Default: 0; `setBalloon` changes it. */
  readonly balloonMiB?: number;
  readonly cpus: number;
  readonly boot: KernelBoot | FirmwareBoot;
  readonly disks: readonly DiskDescription[];
  /** Each has a `HostLink` of its own on the owner's side. */
  readonly networks?: readonly NetworkDescription[];
  readonly shares?: readonly ShareDescription[];
  /** A socket device, with a link to the owner. */
  readonly vsock?: VsockDescription;
  /** Names of virtio-console ports behind port 0. */
  readonly ports: readonly string[];
  /** What a reboot of the guest does: `restart` boots it again, unless its kernel has panicked. Default: `stop`. */
  readonly onReboot?: "restart" | "stop";
  /** Path of a snapshot to go on from, instead of a boot. The rest of the description has to agree with it. */
  readonly restore?: string;
  /** The machine can be saved. A machine that is restored always can. */
  readonly snapshots?: boolean;
  /** Take a profile: how often to look, in milliseconds. */
  readonly profile?: { readonly intervalMs: number };
  /** Directory on the host for what overlays keep aside. Default: the one for temporary files. */
  readonly scratch?: string;
}

/** Why a partition has stopped. `reset` is a reboot that was not to restart it. */
export type StopReason = "power-off" | "reset" | "panic" | "stuck" | "killed";

export interface Stopped {
  readonly reason: StopReason;
  /** What the guest gave as its exit status when it stopped; 0 where it gave none. */
  readonly code: number;
  /** Last lines of the serial console. */
  readonly lastLines: readonly string[];
}
