/** What a machine that goes on from a snapshot takes from it when it needs it: pages of RAM, and blocks of disks. */
import type { BlockStore } from "@bulkhead/devices";
import type { PageSource } from "@bulkhead/machine";
import { NOWHERE } from "./format.ts";
import { PageReader } from "./reader-node.ts";
import { diskSpace, RAM_SPACE } from "./saved-machine.ts";
import type { Snapshot } from "./snapshot.ts";

/** The index of a space; undefined where the snapshot has none of the name. */
export function indexOf({ meta, indices }: Snapshot, name: string): Uint32Array | undefined {
  const at = meta.spaces.findIndex((space) => space.name === name);
  return at < 0 ? undefined : indices[at];
}

/** Pages of RAM, each read when it is asked for. One for each thread. */
export function pagesOf(snapshot: Snapshot): PageSource {
  const index = indexOf(snapshot, RAM_SPACE) ?? new Uint32Array(0);
  const reader = new PageReader(snapshot.layers);
  return { load: (page, into) => reader.load(index[page], into) };
}

/** What a guest had written to a disk that keeps writes aside. */
export function blocksOf(snapshot: Snapshot, disk: number): BlockStore | undefined {
  const index = indexOf(snapshot, diskSpace(disk));
  if (index === undefined) return undefined;
  const reader = new PageReader(snapshot.layers);
  return {
    has: (block) => index[block] !== NOWHERE,
    load: (block, into) => reader.load(index[block], into),
  };
}
