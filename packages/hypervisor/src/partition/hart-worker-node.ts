/** The thread of one hart beside its partition's: runs it until the machine stops. The partition's owner starts it. */
import "../v8-flags-node.ts";
import { parentPort, workerData } from "node:worker_threads";
import { HartThread } from "@bulkhead/machine";
import { RemoteService, sharedNowMs } from "@bulkhead/machine/node";
import { postError } from "../host-error.ts";
import { pagesOf } from "../snapshot/restored-node.ts";
import { processorFactory } from "../worker/processor.ts";
import type { WithTranslator } from "./translator-thread-node.ts";
import type { HartWorkerStart, PartitionMessage } from "./wiring.ts";

const { start, profile, snapshot, translator } = workerData as HartWorkerStart & WithTranslator;
try {
  const processor = processorFactory(profile, (memory) => new RemoteService(translator, memory, profile));
  new HartThread(start, processor, sharedNowMs, snapshot && pagesOf(snapshot)).run();
} catch (error) {
  const message: PartitionMessage = { kind: "failed", error: postError(error) };
  parentPort?.postMessage(message);
}
