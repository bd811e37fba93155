/** Runs the guest that builds an image, in a partition of its own. Who calls it: the guests package. */
import type { MachineRun, MachineStop } from "@bulkhead/guests";
import { Partition } from "@bulkhead/hypervisor/node";

const words: Record<string, string> = { "power-off": "poweroff", reset: "reboot" };

/** Runs a guest to its end. Rejects with an AbortError when `run.signal` says so, and with a `HostError`. */
export async function buildMachine(run: MachineRun): Promise<MachineStop> {
  refuseAborted(run.signal);
  const partition = await Partition.start({
    memoryMiB: run.memoryMiB,
    cpus: 1,
    boot: { kernel: run.kernel, initrd: run.initrd, append: run.append },
    disks: run.disks.map((path) => ({ path, readOnly: false, mode: "direct" })),
    ports: [],
  });
  let overdue = false;
  const kill = (): void => void partition.kill();
  const timer = setTimeout(() => {
    overdue = true;
    kill();
  }, run.timeoutMs);
  run.signal?.addEventListener("abort", kill);
  if (run.signal?.aborted) kill();
  try {
    for await (const bytes of partition.console) run.onConsole(bytes);
    const { reason, code } = await partition.stopped;
    refuseAborted(run.signal);
    return { stopped: overdue ? "timeout" : (words[reason] ?? reason), code };
  } finally {
    clearTimeout(timer);
    run.signal?.removeEventListener("abort", kill);
    await partition.kill();
  }
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new DOMException("the machine was stopped", "AbortError");
}
