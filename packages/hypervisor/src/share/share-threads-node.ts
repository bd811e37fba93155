/** Threads that serve shared folders, as the partition's owner starts and ends them. */
import { Worker } from "node:worker_threads";
import { RemoteShareState, remoteShareMemory, SlotMemory } from "@bulkhead/devices";
import { Doorbell } from "../channel/doorbell.ts";
import { HostError, receiveError } from "../host-error.ts";
import type { PartitionDescription, ShareDescription } from "../partition/description.ts";
import type { ShareServerWiring, ShareThreadMessage } from "./share-wiring.ts";

/** How long a thread may take to end: one that waits for storage that does not answer is left to itself. */
const CLOSE_GRACE_MS = 2000;

export interface ShareThread {
  /** In common with the device. */
  readonly memory: SharedArrayBuffer;
  close(): Promise<void>;
}

/**
 * Starts a thread for each shared folder that is to have one; undefined stands for the others. Errors: `HostError`, and
 * then no thread is left. @param doorbell the partition's.
 */
export async function startShareThreads(
  { shares = [], memoryMiB }: PartitionDescription,
  doorbell: SharedArrayBuffer,
  onWarning: (text: string) => void,
): Promise<readonly (ShareThread | undefined)[]> {
  const threads: (ShareThread | undefined)[] = [];
  try {
    for (const share of shares) {
      threads.push(share.thread ? await startShareThread(share, memoryMiB, doorbell, onWarning) : undefined);
    }
    return threads;
  } catch (error) {
    await closeShareThreads(threads);
    throw error;
  }
}

export async function closeShareThreads(threads: readonly (ShareThread | undefined)[]): Promise<void> {
  await Promise.all(threads.map((thread) => thread?.close()));
}

async function startShareThread(
  share: ShareDescription,
  memoryMiB: number,
  doorbell: SharedArrayBuffer,
  onWarning: (text: string) => void,
): Promise<ShareThread> {
  const memory = remoteShareMemory();
  const slots = new SlotMemory(memory);
  const workerData: ShareServerWiring = { share, memoryMiB, memory, doorbell };
  const worker = new Worker(new URL("./share-worker-node.ts", import.meta.url), { workerData });
  const opened = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  opened.promise.catch(() => {});
  worker.on("message", (message: ShareThreadMessage) => {
    if (message.kind === "opened") opened.resolve();
    else opened.reject(receiveError(message.error));
  });
  worker.on("error", (cause) => {
    const message = cause instanceof Error ? cause.message : String(cause);
    const error = new HostError("partition-failed", `share ${share.path}: its thread failed: ${message}`, { cause });
    opened.reject(error);
    onWarning(error.message);
  });
  worker.on("exit", () => {
    opened.reject(new HostError("partition-failed", `share ${share.path}: its thread ended before it was open`));
    // Whoever still waits for an answer is told that none will come.
    slots.setState(RemoteShareState.failed);
    new Doorbell(doorbell).ring();
    ended.resolve();
  });
  await opened.promise;
  const close = async (): Promise<void> => {
    slots.setState(RemoteShareState.closing);
    slots.ring();
    const overdue = setTimeout(() => {
      void worker.terminate();
      ended.resolve();
    }, CLOSE_GRACE_MS);
    await ended.promise;
    clearTimeout(overdue);
  };
  return { memory, close };
}
