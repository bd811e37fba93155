/** Threads that serve disks, as the partition's owner starts and ends them. */
import { Worker } from "node:worker_threads";
import { type DiskShape, RemoteState, RemoteView, remoteMemory } from "@bulkhead/devices";
import { Doorbell } from "../channel/doorbell.ts";
import { HostError, receiveError } from "../host-error.ts";
import type { DiskDescription } from "../partition/description.ts";
import { type DiskThreadMessage, needsThread, type RemoteWiring, type ServerWiring } from "./remote-wiring.ts";

/** How long a thread may take to make everything stable at the end. */
const CLOSE_GRACE_MS = 10_000;

export interface DiskThread {
  readonly wiring: RemoteWiring;
  /** Resolves when what was written is stable and the thread has ended. */
  close(): Promise<void>;
}

/**
 * Starts a thread for each disk that needs one; undefined stands for the others. Errors: `HostError`, and then no thread
 * is left. @param doorbell the partition's.
 */
export async function startDiskThreads(
  disks: readonly DiskDescription[],
  doorbell: SharedArrayBuffer,
  onWarning: (text: string) => void,
): Promise<readonly (DiskThread | undefined)[]> {
  const threads: (DiskThread | undefined)[] = [];
  try {
    for (const disk of disks)
      threads.push(needsThread(disk) ? await startDiskThread(disk, doorbell, onWarning) : undefined);
    return threads;
  } catch (error) {
    await closeDiskThreads(threads);
    throw error;
  }
}

export async function closeDiskThreads(threads: readonly (DiskThread | undefined)[]): Promise<void> {
  await Promise.all(threads.map((thread) => thread?.close()));
}

async function startDiskThread(
  disk: DiskDescription,
  doorbell: SharedArrayBuffer,
  onWarning: (text: string) => void,
): Promise<DiskThread> {
  const memory = remoteMemory();
  const view = new RemoteView(memory);
  const workerData: ServerWiring = { disk, memory, doorbell };
  const worker = new Worker(new URL("./disk-worker-node.ts", import.meta.url), { workerData });
  const opened = Promise.withResolvers<DiskShape>();
  const ended = Promise.withResolvers<void>();
  const fail = (error: HostError): void => {
    opened.reject(error);
    onWarning(error.message);
  };
  opened.promise.catch(() => {});
  worker.on("message", (message: DiskThreadMessage) => {
    if (message.kind === "opened") opened.resolve(message.shape);
    else if (message.kind === "warning") onWarning(message.text);
    else opened.reject(receiveError(message.error));
  });
  worker.on("error", (cause) => {
    const message = cause instanceof Error ? cause.message : String(cause);
    fail(new HostError("partition-failed", `disk ${disk.path}: its thread failed: ${message}`, { cause }));
  });
  worker.on("exit", () => {
    opened.reject(new HostError("partition-failed", `disk ${disk.path}: its thread ended before it was open`));
    // Whoever still waits for an answer is told that none will come.
    view.setState(RemoteState.failed);
    Atomics.notify(view.words, 1);
    new Doorbell(doorbell).ring();
    ended.resolve();
  });
  const shape = await opened.promise;
  const close = async (): Promise<void> => {
    view.setState(RemoteState.closing);
    view.ring();
    const overdue = setTimeout(() => void worker.terminate(), CLOSE_GRACE_MS);
    await ended.promise;
    clearTimeout(overdue);
  };
  return { wiring: { memory, shape }, close };
}
