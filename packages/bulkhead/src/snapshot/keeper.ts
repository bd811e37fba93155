/** Starts the partition of a run from a kept snapshot, or keeps one of it. Who calls it: `bulkhead run`. */
import { existsSync } from "node:fs";
import type { PartitionDescription } from "@bulkhead/hypervisor";
import { Partition } from "@bulkhead/hypervisor/node";
import { forget, isUnusable, makeRoom } from "./kept.ts";

export interface StartedRun {
  readonly partition: Partition;
  /** It goes on from the snapshot: the guest is ready. */
  readonly restored: boolean;
}

/** @param kept where the run's snapshot is or will be, if it can have one. One that cannot be used is removed. */
export async function startKept(
  description: PartitionDescription,
  kept: string | undefined,
  onWarning: (text: string) => void,
): Promise<StartedRun> {
  if (kept !== undefined && existsSync(kept)) {
    try {
      return { partition: await Partition.start({ ...description, restore: kept }, { onWarning }), restored: true };
    } catch (error) {
      if (!isUnusable(error)) throw error;
      if (process.env.BULKHEAD_DEBUG === "1") onWarning(`${(error as Error).message}; the guest boots instead`);
      forget(kept);
    }
  }
  const snapshots = kept !== undefined;
  return { partition: await Partition.start({ ...description, snapshots }, { onWarning }), restored: false };
}

/** Keeps a snapshot of a guest that is ready, while it goes on. That it cannot be kept is no failure of the run. */
export class Keeper {
  readonly #partition: Partition;
  readonly #path: string;
  readonly #image: string;
  readonly #onWarning: (text: string) => void;
  #kept: Promise<unknown> = Promise.resolve();

  constructor(partition: Partition, path: string, image: string, onWarning: (text: string) => void) {
    this.#partition = partition;
    this.#path = path;
    this.#image = image;
    this.#onWarning = onWarning;
  }

  /** Resolves when the guest may go on. */
  async keep(): Promise<void> {
    const held = Promise.withResolvers<void>();
    this.#kept = this.#save(held.resolve).catch((error: Error) => {
      held.resolve();
      this.#onWarning(`no snapshot is kept: ${error.message}`);
    });
    await held.promise;
  }

  /** Resolves when the snapshot is whole. */
  async kept(): Promise<void> {
    await this.#kept;
  }

  async #save(onHeld: () => void): Promise<void> {
    makeRoom(this.#path, this.#image);
    await this.#partition.snapshot(this.#path, onHeld);
  }
}
