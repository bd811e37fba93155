/** The small programs: what they are called, how long QEMU takes for each at scale 1, and how their line is read. */

/** One program of `programs/`; `expectedSeconds` is for the time left, `quickScale` for `--quick`. */
export interface SmallProgram {
  readonly name: string;
  readonly title: string;
  readonly expectedSeconds: number;
  readonly quickScale: number;
}

export const smallPrograms: readonly SmallProgram[] = [
  { name: "sieve", title: "sieve 8M × 40", expectedSeconds: 5, quickScale: 0.2 },
  { name: "sha256", title: "SHA-256 of 500 MiB", expectedSeconds: 6, quickScale: 0.15 },
  { name: "matmul", title: "f64 matrix product 256³ × 45", expectedSeconds: 7, quickScale: 0.1 },
  { name: "mix", title: "list, matrix, state machine, CRC", expectedSeconds: 5, quickScale: 0.2 },
  { name: "quicksort", title: "quicksort 4M × 8", expectedSeconds: 5, quickScale: 0.125 },
  { name: "chase", title: "pointer chase in 64 MiB", expectedSeconds: 5, quickScale: 0.2 },
  { name: "memcpy", title: "memcpy 64 MiB × 100", expectedSeconds: 4, quickScale: 0.2 },
  { name: "fib", title: "fib(38) × 3", expectedSeconds: 5, quickScale: 0.2 },
  { name: "getppid", title: "1M getppid", expectedSeconds: 1, quickScale: 0.5 },
  { name: "pipe", title: "100k pipe round trips", expectedSeconds: 12, quickScale: 0.1 },
  { name: "forkexec", title: "500 fork + exec", expectedSeconds: 2, quickScale: 0.5 },
  { name: "faults", title: "page faults 64 MiB × 4", expectedSeconds: 0.2, quickScale: 1 },
];

/** What a program reports of itself. */
export interface ProgramResult {
  readonly checksum: string;
  readonly seconds: number;
}

/** Finds a program's line in what a command printed, or undefined. */
export function readRow(output: string, name: string): ProgramResult | undefined {
  const match = new RegExp(`@row ${name} ([0-9a-f]{16}) (\\d+)`).exec(output);
  return match === null ? undefined : { checksum: match[1], seconds: Number(match[2]) / 1e9 };
}
