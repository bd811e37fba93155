/** The small programs of `programs/`: what they are called, and how long QEMU takes for each at scale 1. */
import type { Workload } from "./workload.ts";

/** `expectedSeconds` is for the time left, `quickScale` for `--quick`. */
export interface SmallProgram extends Workload {
  readonly expectedSeconds: number;
  readonly quickScale: number;
}

const program = (name: string, title: string, expectedSeconds: number, quickScale: number): SmallProgram => ({
  name,
  title,
  group: "small",
  unit: "s",
  expectedSeconds,
  quickScale,
});

export const smallPrograms: readonly SmallProgram[] = [
  program("sieve", "sieve 8M × 40", 5, 0.2),
  program("sha256", "SHA-256 of 500 MiB", 6, 0.2),
  program("matmul", "f64 matrix product 256³ × 45", 6, 0.2),
  program("mix", "list, matrix, states, CRC", 5, 0.2),
  program("quicksort", "quicksort 4M × 8", 4, 0.25),
  program("chase", "pointer chase in 64 MiB", 6, 0.15),
  program("memcpy", "memcpy 64 MiB × 100", 6, 0.1),
  program("fib", "fib(38) × 3", 5, 0.2),
  program("getppid", "1M getppid", 1, 0.5),
  program("pipe", "100k pipe round trips", 10, 0.1),
  program("forkexec", "500 fork + exec", 2, 0.4),
  program("faults", "page faults 64 MiB × 4", 1, 0.5),
];
