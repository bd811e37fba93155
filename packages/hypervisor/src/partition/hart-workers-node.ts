/**
 * The threads of a partition's further harts. They belong to its owner, whose thread never blocks and so hears of it
 * when one of them breaks down; the machine that they are part of only asks for them.
 */
import { Worker } from "node:worker_threads";
import { Board, type HartThreadStart } from "@bulkhead/machine";
import { HostError, receiveError } from "../host-error.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { TranslatorThread, WithTranslator } from "./translator-thread-node.ts";
import type { HartWorkerStart, PartitionMessage } from "./wiring.ts";

/** Most memory of a thread for what it knows about translated code. */
const HEAP_MIB = 1024;
/** How long a thread that was told to stop may take before it is ended from outside. */
const STOP_GRACE_MS = 2000;

export class HartWorkers {
  readonly #profile: boolean;
  readonly #translator: TranslatorThread;
  readonly #snapshot: Snapshot | undefined;
  readonly #onFailure: (error: HostError) => void;
  readonly #workers: Worker[] = [];
  readonly #exits: Promise<void>[] = [];
  #board: Board | undefined;

  /**
   * @param translator compiles for them. @param snapshot what the machine goes on from. @param onFailure is told when a
   * thread has broken down; the machine can then only be stopped.
   */
  constructor(
    profile: boolean,
    translator: TranslatorThread,
    snapshot: Snapshot | undefined,
    onFailure: (error: HostError) => void,
  ) {
    this.#profile = profile;
    this.#translator = translator;
    this.#snapshot = snapshot;
    this.#onFailure = onFailure;
  }

  start(start: HartThreadStart): void {
    this.#board = new Board(start.crew.board);
    const translator = this.#translator.ports[start.hart]!;
    const workerData: HartWorkerStart & WithTranslator = {
      start,
      profile: this.#profile,
      snapshot: this.#snapshot,
      translator,
    };
    const worker = new Worker(new URL("./hart-worker-node.ts", import.meta.url), {
      workerData,
      transferList: [translator],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    });
    worker.on("message", (message: PartitionMessage) => {
      if (message.kind === "failed") this.#onFailure(receiveError(message.error));
    });
    worker.on("error", (cause) => this.#onFailure(failed(start.hart, cause)));
    this.#workers.push(worker);
    this.#exits.push(new Promise((resolve) => worker.on("exit", () => resolve())));
  }

  /** Ends all of them; resolves when they are gone. */
  async end(): Promise<void> {
    this.#board?.stop();
    const overdue = setTimeout(() => {
      for (const worker of this.#workers) void worker.terminate();
    }, STOP_GRACE_MS);
    await Promise.all(this.#exits);
    clearTimeout(overdue);
  }
}

const failed = (hart: number, cause: unknown): HostError =>
  new HostError(
    "partition-failed",
    `the thread of hart ${hart} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  );
