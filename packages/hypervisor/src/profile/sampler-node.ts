/** The thread of a profiler: takes samples until it is told to stop, then posts the profile. Started by the partition's owner. */
import { parentPort, workerData } from "node:worker_threads";
import { GuestView } from "@bulkhead/machine";
import { Sampler } from "./sampler.ts";
import { ProfileOrder, type SamplerWiring } from "./sampler-wiring.ts";

const { image, intervalMs, order } = workerData as SamplerWiring;
const word = new Int32Array(order);
const sampler = new Sampler(new GuestView(image), intervalMs);

Atomics.compareExchange(word, 0, ProfileOrder.wait, ProfileOrder.sample);
Atomics.notify(word, 0);
const startMs = performance.now();
for (let nextMs = 0; Atomics.load(word, 0) === ProfileOrder.sample; ) {
  const nowMs = performance.now() - startMs;
  sampler.sample(nowMs);
  // Moments that were missed, because the host was busy, are not made up for.
  nextMs = Math.max(nextMs + intervalMs, nowMs);
  const waitMs = nextMs - (performance.now() - startMs);
  if (waitMs > 0) Atomics.wait(word, 0, ProfileOrder.sample, waitMs);
}
parentPort?.postMessage(sampler.finish());
