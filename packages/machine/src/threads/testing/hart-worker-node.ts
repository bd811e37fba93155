/** The thread of a hart in tests. */
import { workerData } from "node:worker_threads";
import { TranslatingProcessor } from "../../translating-processor.ts";
import { HartThread } from "../hart-thread.ts";
import { sharedNowMs } from "../shared-time-node.ts";
import { tierOptions } from "./threaded-machine-node.ts";

const { start, tier, seed } = workerData;
const thread = new HartThread(
  start,
  (memory, harts) =>
    new TranslatingProcessor(memory, harts, { ...tierOptions(memory, tier, seed), first: harts[0].index }),
  sharedNowMs,
);
thread.run();
