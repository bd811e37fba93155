/** The result as JSON: what `--json FILE` writes and `--chart` can be drawn from again. */
import { type Comparison, type GroupResult, judgeRow, type Row } from "./rows.ts";
import type { Summary } from "./statistics.ts";

/** Where and how it was measured. */
export interface Environment {
  readonly date: string;
  readonly revision: string;
  readonly host: { processor: string; cores: number; memoryMiB: number; kernel: string; node: string; load: number[] };
  /** What each machine says of itself, by name. */
  readonly machines: Readonly<Record<string, string>>;
  readonly compiler: string;
  readonly repeat: number;
  readonly quick: boolean;
  /** Seconds are of processor time. */
  readonly cpuTime: boolean;
}

export interface JsonRow {
  readonly workload: string;
  readonly title: string;
  readonly group: string;
  readonly unit: string;
  /** Medians; in seconds where the unit is seconds, else absent. */
  readonly bulkheadSeconds?: number;
  readonly qemuSeconds?: number;
  /** The QEMU that did best in this row. */
  readonly qemu?: string;
  /** Instead of QEMU's where revisions are compared. */
  readonly otherSeconds?: number;
  readonly ratio?: number;
  readonly nativeSeconds?: number;
  readonly verdict?: string;
  /** Median, spread and samples of every machine, in the workload's unit. */
  readonly machines: Readonly<Record<string, Summary>>;
}

export interface JsonResult {
  readonly format: 1;
  readonly environment: Environment;
  readonly subject: string;
  /** Whom the ratios compare with, in words. */
  readonly compared: string;
  readonly rows: readonly JsonRow[];
  readonly groups: readonly { name: string; title: string; geometricMean?: number; worst?: number }[];
  /** Wrong checksums, wrong clocks, and what was left out. */
  readonly problems: readonly string[];
}

function jsonRow(row: Row, { subject, kind }: Comparison): JsonRow {
  const { workload, best, ratio, native } = row;
  const seconds = workload.unit === "s";
  const other = best === undefined ? undefined : row.peers.get(best)?.median;
  const machines = { ...(row.subject && { [subject]: row.subject }), ...Object.fromEntries(row.peers) };
  return {
    workload: workload.name,
    title: workload.title,
    group: workload.group,
    unit: workload.unit,
    bulkheadSeconds: seconds ? row.subject?.median : undefined,
    ...(kind === "qemu" ? { qemuSeconds: other, qemu: best } : { otherSeconds: other }),
    ratio,
    nativeSeconds: seconds ? native?.median : undefined,
    verdict: judgeRow(row, kind),
    machines: { ...machines, ...(native && { native }) },
  };
}

export function jsonResult(
  results: readonly GroupResult[],
  comparison: Comparison,
  environment: Environment,
  problems: readonly string[],
): JsonResult {
  return {
    format: 1,
    environment,
    subject: comparison.subject,
    compared:
      comparison.kind === "qemu" ? `the better of ${comparison.peers.join(" and ")}` : comparison.peers.join(", "),
    rows: results.flatMap(({ rows }) => rows.map((row) => jsonRow(row, comparison))),
    groups: results.map(({ name, group, mean, worst }) => ({ name, title: group.title, geometricMean: mean, worst })),
    problems,
  };
}
