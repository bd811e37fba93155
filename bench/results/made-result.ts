/** Made-up results for the tests beside this file. */
import type { Workload } from "../workloads/workload.ts";
import type { Environment } from "./json.ts";
import type { Comparison } from "./rows.ts";
import { Samples } from "./samples.ts";

export const workloads: readonly Workload[] = [
  { name: "idle-cpu", title: "CPU of one core", group: "idle", unit: "%", target: { must: 1, aim: 0.2 } },
  { name: "sieve", title: "sieve", group: "small", unit: "s" },
  { name: "fib", title: "fib", group: "small", unit: "s" },
  { name: "boot", title: "boot <quick>", group: "boot", unit: "s", target: { must: 1, aim: 2 } },
  { name: "speed-up", title: "speed-up", group: "harts", unit: "×", target: { must: 1.8, aim: 1.95 } },
  { name: "xz", title: "xz", group: "real", unit: "s" },
];

export const comparison: Comparison = {
  subject: "bulkhead",
  peers: ["QEMU 7.2", "QEMU 10.0"],
  others: ["v86"],
  kind: "qemu",
};

export function madeSamples(): Samples {
  const samples = new Samples();
  const add = (workload: string, ...values: number[]): void => {
    for (const [index, machine] of [comparison.subject, ...comparison.peers].entries())
      samples.add(workload, machine, values[index], "00ff");
  };
  add("sieve", 1, 4, 6);
  add("sieve", 3, 4, 6);
  add("fib", 4, 9, 8);
  add("boot", 2, 3, 2.4);
  samples.add("sieve", "native", 0.25, "00ff");
  for (const [machine, value] of [
    ["bulkhead", 0.5],
    ["QEMU 7.2", 0.3],
  ] as const)
    samples.add("idle-cpu", machine, value);
  samples.add("boot", "v86", 1);
  samples.add("speed-up", "bulkhead", 1.97);
  return samples;
}

export const environment: Environment = {
  date: "2026-01-02T03:04:05.000Z",
  revision: "abc1234",
  host: { processor: "A & B", cores: 2, memoryMiB: 4096, kernel: "6.12", node: "v26", load: [0, 0, 0] },
  machines: { bulkhead: "abc1234", "QEMU 7.2": "7.2", "QEMU 10.0": "10.0" },
  compiler: "gcc 14",
  repeat: 2,
  quick: false,
  cpuTime: false,
};
