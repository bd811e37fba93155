/**
 * The thread that compiles a partition's regions, so that its harts need not wait for it. It belongs to the partition's
 * owner, who hears of it when it breaks down.
 */
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { HostError } from "../host-error.ts";

/** What a thread that runs harts begins with beside its wiring. */
export interface WithTranslator {
  /** Where `RemoteService` posts its orders; it has to be in the list of what is transferred. */
  readonly translator: MessagePort;
}

/** What it works with is garbage a moment later, and the guest's code bounds the rest. */
const YOUNG_MIB = 16;
const HEAP_MIB = 512;

export class TranslatorThread {
  /** For the thread of each hart; harts that take turns on one thread share the first. */
  readonly ports: readonly MessagePort[];
  readonly #worker: Worker;

  /** @param onFailure is told when the thread has broken down; guests go on, in the interpreter only. */
  constructor(harts: number, onFailure: (error: HostError) => void) {
    const channels = Array.from({ length: harts }, () => new MessageChannel());
    this.ports = channels.map(({ port1 }) => port1);
    const workerData = channels.map(({ port2 }) => port2);
    this.#worker = new Worker(new URL("./translator-worker-node.ts", import.meta.url), {
      workerData,
      transferList: workerData,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB, maxOldGenerationSizeMb: HEAP_MIB },
    });
    this.#worker.on("error", (cause) => onFailure(failed(cause)));
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

const failed = (cause: unknown): HostError =>
  new HostError(
    "partition-failed",
    `the thread that translates failed: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  );
