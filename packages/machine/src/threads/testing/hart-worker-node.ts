/** The thread of a hart in tests. */
import { workerData } from "node:worker_threads";
import { TranslatingProcessor } from "../../translating-processor.ts";
import { HartThread } from "../hart-thread.ts";
import { sharedNowMs } from "../shared-time-node.ts";

const { start, threshold } = workerData;
const thread = new HartThread(
  start,
  (memory, harts) => new TranslatingProcessor(memory, harts, { threshold, first: harts[0].index }),
  sharedNowMs,
);
thread.run();
