/** A machine whose harts have threads of their own, run on the test's thread. */
import { Worker } from "node:worker_threads";
import { sampleImage } from "../../boot/sample-files.ts";
import { HostClock } from "../../hart/clock.ts";
import { Machine, type MachineOptions } from "../../machine.ts";
import type { GuestMemory } from "../../memory.ts";
import { Random } from "../../testing/random-node.ts";
import { randomTiers } from "../../testing/random-tiers-node.ts";
import { type TranslatingOptions, TranslatingProcessor } from "../../translating-processor.ts";
import { sharedNowMs } from "../shared-time-node.ts";

export interface ThreadedRun {
  readonly machine: Machine;
  readonly output: string;
  /** It ended because no hart could ever go on. */
  readonly halted: boolean;
  /** Doublewords at a physical address. */
  at(address: number, count: number): bigint[];
}

/** How often jump targets are met before they are translated, or that it is left to chance. */
export type ThreadTier = number | "random";

/** What a thread's processor is made with: it cannot be posted. */
export const tierOptions = (memory: GuestMemory, tier: ThreadTier, seed: number): TranslatingOptions =>
  tier === "random" ? randomTiers(memory, new Random(seed)) : { threshold: tier };

interface RunOptions extends Partial<MachineOptions> {
  readonly tier?: ThreadTier;
  /** Of what the tier `random` leaves to chance. */
  readonly seed?: number;
  /** Called between slices. */
  readonly between?: (machine: Machine) => void;
}

/** Runs a kernel to its end, or until the machine is halted, and waits for all its threads to end. */
export async function runThreaded(
  harts: number,
  words: readonly number[],
  { tier = 2, seed = 1, between, ...options }: RunOptions = {},
): Promise<ThreadedRun> {
  const bell = new Int32Array(new SharedArrayBuffer(4));
  const workers: Worker[] = [];
  const errors: unknown[] = [];
  let output = "";
  let halted = false;
  const machine = new Machine({
    ramSize: 32 * 1024 * 1024,
    harts,
    boot: { kernel: sampleImage(words) },
    processor: (memory, own) => new TranslatingProcessor(memory, own, tierOptions(memory, tier, seed)),
    onOutput: (bytes) => {
      output += new TextDecoder("latin1").decode(bytes);
    },
    clock: new HostClock(0, sharedNowMs),
    threads: {
      doorbell: bell.buffer,
      spawn: (start) => {
        const url = new URL("./hart-worker-node.ts", import.meta.url);
        workers.push(new Worker(url, { workerData: { start, tier, seed: seed + start.hart } }));
      },
    },
    ...options,
  });
  const ended = workers.map(
    (worker) => new Promise<void>((resolve) => worker.on("exit", () => resolve()).on("error", (e) => errors.push(e))),
  );
  try {
    machine.start();
    // The test's own thread has to look after its workers now and then, or their errors never show.
    for (let slice = 0; machine.state === "running" && errors.length === 0; slice++) {
      const seen = Atomics.load(bell, 0);
      machine.runSlice();
      between?.(machine);
      halted = machine.halted;
      if (machine.state !== "running" || halted) break;
      machine.rest(seen, () => Atomics.wait(bell, 0, seen, Math.min(machine.idleMs(), 50)));
      if (slice % 256 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    machine.close();
    await Promise.all(ended);
  }
  if (errors.length > 0) throw errors[0];
  const { memory } = machine;
  return {
    machine,
    output,
    halted,
    at: (address, count) =>
      Array.from({ length: count }, (_, i) => memory.doublewords[memory.offsetOf(address + i * 8, 8) / 8]!),
  };
}
