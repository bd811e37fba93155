/** What was measured: for each workload and machine its samples, and what the programs computed. */
import { type Summary, summarise } from "./statistics.ts";

export class Samples {
  readonly #values = new Map<string, Map<string, number[]>>();
  readonly #checksums = new Map<string, Map<string, string>>();

  /** Adds a sample. A checksum is kept beside it; `disagreements` compares them. */
  add(workload: string, machine: string, value: number, checksum?: string): void {
    const machines = this.#values.get(workload) ?? new Map<string, number[]>();
    this.#values.set(workload, machines);
    machines.set(machine, [...(machines.get(machine) ?? []), value]);
    if (checksum === undefined) return;
    const sums = this.#checksums.get(workload) ?? new Map<string, string>();
    this.#checksums.set(workload, sums);
    // A machine that disagrees with itself is remembered as such.
    const before = sums.get(machine);
    sums.set(machine, before === undefined || before === checksum ? checksum : `${before} and ${checksum}`);
  }

  /** The summary of one machine's samples, or undefined where it has none. */
  summary(workload: string, machine: string): Summary | undefined {
    const values = this.#values.get(workload)?.get(machine);
    return values === undefined ? undefined : summarise(values);
  }

  checksum(workload: string, machine: string): string | undefined {
    return this.#checksums.get(workload)?.get(machine);
  }

  /** One sentence for each workload whose programs computed different things. */
  disagreements(): string[] {
    return [...this.#checksums].flatMap(([workload, sums]) => {
      const told = [...sums].map(([machine, sum]) => `${machine} ${sum}`);
      return new Set(sums.values()).size === 1 ? [] : [`${workload}: the results differ: ${told.join(", ")}`];
    });
  }
}
