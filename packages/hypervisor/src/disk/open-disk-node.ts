/** Opens a partition's disks, on the thread that is to use them. The owner has claimed and checked what they stand on. */
import {
  type BlockBackend,
  BlockingDisk,
  type BlockStore,
  LayeredDisk,
  Overlay,
  type QueuedDisk,
  RemoteDisk,
  StoredBlocks,
} from "@bulkhead/devices";
import { openDisk, openTemporaryDisk } from "@bulkhead/devices/node";
import type { DiskDescription } from "../partition/description.ts";
import { withDisks } from "./disk-failure.ts";
import type { RemoteWiring } from "./remote-wiring.ts";

export interface OpenOptions {
  /** The thread that serves the disk, if it is not this one. */
  readonly remote?: RemoteWiring;
  /** Directory for what overlays keep aside. */
  readonly scratch?: string;
  readonly onWarning: (sentence: string) => void;
  /** Writes that are kept aside can become part of a snapshot. */
  readonly layered?: boolean;
  /** What was written before, in a snapshot. */
  readonly stored?: BlockStore;
}

/** The disk as its block device uses it. Errors: `HostError`. */
export function openPartitionDisk(disk: DiskDescription, options: OpenOptions): BlockBackend | QueuedDisk {
  return withDisks(() => {
    const { remote, scratch, onWarning, layered = false, stored } = options;
    const overlaid = disk.mode === "overlay" && !disk.readOnly;
    if (!overlaid) return remote === undefined ? openHere(disk, onWarning) : remoteDisk(remote);
    const base = remote === undefined ? openHere(disk, onWarning) : new BlockingDisk(remote.memory, remote.shape);
    const below = stored === undefined ? base : new StoredBlocks(base, stored);
    const newLayer = (): BlockBackend => openTemporaryDisk(base.size, scratch);
    return layered ? new LayeredDisk(below, newLayer) : new Overlay(below, newLayer());
  });
}

/** A disk in a file of this host. Nothing is written to what an overlay stands on. */
export const openHere = (
  { path, format, readOnly, mode }: DiskDescription,
  onWarning: (sentence: string) => void,
): BlockBackend => openDisk(path, { format, readOnly: readOnly || mode === "overlay", onWarning });

const remoteDisk = ({ memory, shape }: RemoteWiring): RemoteDisk => new RemoteDisk(memory, shape);
