/** The thread of a partition: builds the machine from its wiring, runs it to its end and tells the owner how it ended. */
import "../v8-flags-node.ts";
import { parentPort, workerData } from "node:worker_threads";
import { RemoteService } from "@bulkhead/machine/node";
import { Doorbell } from "../channel/doorbell.ts";
import { postError } from "../host-error.ts";
import { ProfileOrder } from "../profile/sampler-wiring.ts";
import { bootFailure, bootSource } from "../worker/files-node.ts";
import { GuestMachine } from "../worker/guest-machine-node.ts";
import { MachineLoop } from "../worker/machine-loop.ts";
import { processorFactory } from "../worker/processor.ts";
import { warmUp } from "../worker/warm-up.ts";
import { ConsoleTail } from "./console-tail.ts";
import type { Stopped } from "./description.ts";
import type { WithTranslator } from "./translator-thread-node.ts";
import type { PartitionMessage, Wiring } from "./wiring.ts";

/** How long a profiler may take to start. */
const PROFILER_START_MS = 5000;

/** What the thread begins with; a spare one is told later, and makes itself ready until then. */
function begin(): Promise<Wiring & WithTranslator> {
  if (workerData) return Promise.resolve(workerData);
  const told = new Promise<Wiring & WithTranslator>((resolve) => parentPort?.once("message", resolve));
  warmUp();
  return told;
}

const { translator, ...wiring } = await begin();
const profile = wiring.description.profile !== undefined;
const tell = (message: PartitionMessage): void => parentPort?.postMessage(message);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** So that the profile begins with the guest's first instruction. One that does not come is not waited for. */
function awaitProfiler(): void {
  if (wiring.profile === undefined) return;
  Atomics.wait(new Int32Array(wiring.profile), 0, ProfileOrder.wait, PROFILER_START_MS);
}

function runPartition(): Stopped {
  const tail = new ConsoleTail();
  let loop: MachineLoop | undefined;
  const processor = processorFactory(profile, (memory) => new RemoteService(translator, memory, profile));
  const machine = new GuestMachine(wiring, bootSource(wiring.description), processor, {
    printed: (bytes) => loop?.printed(bytes),
    panicked: () => tail.panicked,
    diskWarned: (text) => tell({ kind: "warning", text }),
    hartThread: (start) => tell({ kind: "hart", start }),
    held: tell,
    diskFailed: (path, error) => tell({ kind: "warning", text: `disk ${path}: ${messageOf(error)}` }),
  });
  loop = new MachineLoop(machine, new Doorbell(wiring.partition), wiring.order, tail);
  tell({ kind: "started", image: wiring.profile && machine.image });
  awaitProfiler();
  try {
    return loop.run();
  } finally {
    machine.close();
  }
}

try {
  tell({ kind: "stopped", stopped: runPartition() });
} catch (error) {
  tell({ kind: "failed", error: postError(bootFailure(error, wiring.description)) });
}
