/**
 * Pauses and saves of one partition, from its owner's side: one at a time, each building on the one before. Who makes it: the
 * partition.
 */
import { createRequire } from "node:module";
import { Doorbell } from "../channel/doorbell.ts";
import { HostError, receiveError } from "../host-error.ts";
import type { PartitionDescription } from "../partition/description.ts";
import type { Wiring } from "../partition/wiring.ts";
import type { HoldMessage } from "../worker/holder.ts";
import type { SnapshotBase } from "./base.ts";
import { configurationOf } from "./configuration-node.ts";
import { HoldOrder } from "./hold-order.ts";
import type { FrozenLayer, HeldMachine } from "./saved-machine.ts";
import { SaverThread } from "./saver-node.ts";
import type { Snapshot } from "./snapshot.ts";

/** What a save took. */
export interface SnapshotSummary {
  readonly path: string;
  /** Of the file. */
  readonly bytes: number;
  /** Pages of memory and disks that differ from the snapshot before. */
  readonly pages: number;
  /** For how long the guest did not run, and until the file was whole. */
  readonly pausedMs: number;
  readonly totalMs: number;
}

const program = `bulkhead ${(createRequire(import.meta.url)("../../package.json") as { version: string }).version}`;

export class Snapshots {
  readonly #description: PartitionDescription;
  readonly #order: HoldOrder;
  readonly #doorbell: Doorbell;
  #base: SnapshotBase | undefined;
  /** Layers of disks that are in no snapshot yet. */
  #layers: readonly FrozenLayer[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #paused = answer<boolean>();
  #held = answer<HeldMachine>();
  #ended = false;

  constructor({ description, hold, partition, snapshot }: Wiring) {
    this.#description = description;
    this.#order = new HoldOrder(hold);
    this.#doorbell = new Doorbell(partition);
    this.#base = snapshot && baseOf(snapshot);
  }

  /** A message of the partition's thread. */
  heard(message: HoldMessage): void {
    if (message.kind === "paused") this.#paused.resolve(message.paused);
    else if (message.kind === "held") this.#held.resolve(message.held);
    else this.#held.reject(receiveError(message.error));
  }

  /** The partition has stopped. */
  end(): void {
    this.#ended = true;
    const error = new HostError("snapshot-failed", "the partition has stopped");
    this.#paused.reject(error);
    this.#held.reject(error);
  }

  pause(): Promise<void> {
    return this.#inTurn(() => this.#setPaused(true));
  }

  resume(): Promise<void> {
    return this.#inTurn(() => this.#setPaused(false));
  }

  save(path: string, onHeld: () => void = () => {}): Promise<SnapshotSummary> {
    return this.#inTurn(() => this.#save(path, onHeld));
  }

  async #setPaused(paused: boolean): Promise<void> {
    if (this.#order.paused === paused) return;
    this.#paused = answer();
    if (this.#ended) this.end();
    this.#order.paused = paused;
    this.#doorbell.ring();
    await this.#paused.promise;
  }

  async #save(path: string, onHeld: () => void): Promise<SnapshotSummary> {
    const fromMs = performance.now();
    const order = {
      path,
      program,
      configuration: configurationOf(this.#description),
      base: this.#base,
    };
    const saver = new SaverThread(order);
    try {
      await saver.ready;
      const held = await this.#hold();
      onHeld();
      this.#layers = [...this.#layers, ...held.layers];
      const { base, pages, bytes } = await saver.save({ ...held, layers: this.#layers });
      this.#base = base;
      this.#layers = [];
      return { path, bytes, pages, pausedMs: held.pausedMs, totalMs: performance.now() - fromMs };
    } finally {
      await saver.cancel();
    }
  }

  #hold(): Promise<HeldMachine> {
    this.#held = answer();
    if (this.#ended) this.end();
    this.#order.askForState();
    this.#doorbell.ring();
    return this.#held.promise;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    try {
      return await work();
    } finally {
      resolve();
    }
  }
}

/** What the thread will say; nobody may be waiting for it when it cannot any more. */
function answer<T>(): PromiseWithResolvers<T> {
  const resolvers = Promise.withResolvers<T>();
  resolvers.promise.catch(() => {});
  return resolvers;
}

const baseOf = ({ path, meta, layers, indices }: Snapshot): SnapshotBase => ({
  id: meta.id,
  path,
  ancestors: meta.ancestors.map(({ id }, i) => ({ id, path: layers[i + 1].path })),
  indices: Object.fromEntries(meta.spaces.map(({ name }, i) => [name, indices[i]])),
});
