/** A profiler as the partition's owner sees it: a thread that samples the guest until it is stopped. */
import { Worker } from "node:worker_threads";
import { HostError } from "../host-error.ts";
import type { Profile } from "./profile.ts";
import { ProfileOrder, type SamplerWiring } from "./sampler-wiring.ts";

export class Profiler {
  /** Settles when the profiler has been stopped and has looked the names up; rejected with a `HostError` if it broke down. */
  readonly profile: Promise<Profile>;
  readonly #order: Int32Array;

  constructor(wiring: SamplerWiring) {
    this.#order = new Int32Array(wiring.order);
    const worker = new Worker(new URL("./sampler-node.ts", import.meta.url), { workerData: wiring });
    const { promise, resolve, reject } = Promise.withResolvers<Profile>();
    promise.catch(() => {});
    worker.on("message", resolve);
    worker.on("error", (cause) => reject(failed("the profiler failed", cause)));
    worker.on("exit", () => {
      // A partition must not wait for a profiler that is gone.
      this.stop();
      reject(failed("the profiler ended without a profile"));
    });
    this.profile = promise;
  }

  /** Ends sampling; the guest's memory is looked at once more for names. */
  stop(): void {
    Atomics.store(this.#order, 0, ProfileOrder.stop);
    Atomics.notify(this.#order, 0);
  }
}

const failed = (message: string, cause?: unknown): HostError => new HostError("partition-failed", message, { cause });
