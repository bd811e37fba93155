/** A saver's thread as the partition's owner sees it. */
import { Worker } from "node:worker_threads";
import { HostError, receiveError } from "../host-error.ts";
import type { Saved, SaveOrder } from "./save-node.ts";
import type { HeldMachine } from "./saved-machine.ts";
import type { SaverMessage } from "./saver-worker-node.ts";

export class SaverThread {
  readonly #worker: Worker;
  readonly #saved = Promise.withResolvers<Saved>();
  readonly #ready = Promise.withResolvers<void>();

  constructor(order: SaveOrder) {
    this.#worker = new Worker(new URL("./saver-worker-node.ts", import.meta.url), { workerData: order });
    const fail = (error: HostError): void => {
      this.#ready.reject(error);
      this.#saved.reject(error);
    };
    this.#saved.promise.catch(() => {});
    this.#ready.promise.catch(() => {});
    this.#worker.on("message", (message: SaverMessage) => {
      if (message.kind === "ready") this.#ready.resolve();
      else if (message.kind === "saved") this.#saved.resolve(message.saved);
      else fail(receiveError(message.error));
    });
    const broken = (cause?: unknown): void => {
      const why = cause instanceof Error ? cause.message : "its thread ended";
      fail(new HostError("snapshot-failed", `snapshot ${order.path}: ${why}`, { cause }));
    };
    this.#worker.on("error", broken);
    this.#worker.on("exit", () => broken());
  }

  /** Resolves when `save` would begin at once. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Errors: `snapshot-failed`. */
  async save(held: HeldMachine): Promise<Saved> {
    this.#worker.postMessage(held);
    try {
      return await this.#saved.promise;
    } finally {
      await this.#worker.terminate();
    }
  }

  async cancel(): Promise<void> {
    await this.#worker.terminate();
  }
}
