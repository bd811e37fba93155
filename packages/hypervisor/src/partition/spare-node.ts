/**
 * Threads for partitions to come: started and made ready ahead of time, since that takes longer than to restore a machine. It
 * imports next to nothing, so that a program can begin with it. Who calls it: whoever knows that partitions will be wanted.
 */
import { type MessagePort, Worker } from "node:worker_threads";

const spares: Worker[] = [];

/** Has so many threads ready. They keep no process alive. */
export function prepareThreads(count: number): void {
  while (spares.length < count) {
    const worker = new Worker(new URL("./worker-node.ts", import.meta.url));
    worker.unref();
    const gone = (): void => {
      const at = spares.indexOf(worker);
      if (at >= 0) spares.splice(at, 1);
    };
    // One that breaks down is replaced by nothing: a partition then starts a thread of its own, and hears why that fails.
    worker.on("error", gone);
    worker.on("exit", gone);
    spares.push(worker);
  }
}

/** Ends the threads that are ready. */
export async function dismissThreads(): Promise<void> {
  await Promise.all(spares.splice(0).map((worker) => worker.terminate()));
}

/** A thread that runs a partition: a spare one, or one that is started now. */
export function partitionThread(start: object, transferList: readonly MessagePort[]): Worker {
  const spare = spares.shift();
  if (spare === undefined) {
    return new Worker(new URL("./worker-node.ts", import.meta.url), {
      workerData: start,
      transferList: [...transferList],
    });
  }
  spare.removeAllListeners("error");
  spare.removeAllListeners("exit");
  spare.ref();
  spare.postMessage(start, [...transferList]);
  return spare;
}
