/** The result as a table for a terminal: one block for each group, the verdicts below. */
import { compares, type Target, type Unit } from "../workloads/workload.ts";
import { type Comparison, type GroupResult, judge, judgeRow, type Row, type Verdict } from "./rows.ts";
import type { Summary } from "./statistics.ts";

const words: Record<Verdict, string> = { aim: "reaches the aim", must: "reaches the must", missed: "misses the must" };

/** Three significant digits, without an exponent. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 3));
}

export const ratioText = (ratio: number | undefined): string => (ratio === undefined ? "" : `${shortNumber(ratio)}×`);

/** A median with its unit, and where there are several samples how far they reach. */
export function summaryText(summary: Summary | undefined, unit: Unit): string {
  if (summary === undefined) return "";
  const space = unit === "×" ? "" : " ";
  const text = `${shortNumber(summary.median)}${space}${unit}`;
  if (summary.samples.length < 2) return text;
  return `${text} (${shortNumber(summary.min)}–${shortNumber(summary.max)})`;
}

const targetText = ({ must, aim }: Target, sign: string): string => `must ${must}${sign}, aim ${aim}${sign}`;

function verdictOf(row: Row, kind: Comparison["kind"]): string {
  const verdict = judgeRow(row, kind);
  const { target, unit } = row.workload;
  if (verdict === undefined || target === undefined) return "";
  return `${words[verdict]} (${targetText(target, unit === "×" || compares(unit) ? "×" : ` ${unit}`)})`;
}

function groupCells(
  { group, rows, mean, worst, ratios }: GroupResult,
  { peers, others, kind }: Comparison,
): string[][] {
  const blank = ["", ...[...peers, ...others].map(() => "")];
  const part = ratios < rows.length ? ` of ${ratios} of ${rows.length}` : "";
  const judged = (label: string, value: number | undefined, target: Target | undefined): string[][] => {
    if (value === undefined || target === undefined) return [];
    const verdict = kind === "qemu" ? `${words[judge(value, target, true)]} (${targetText(target, "×")})` : "";
    return [[label, ...blank, ratioText(value), "", verdict]];
  };
  return [
    [group.title, ...blank, "", "", ""],
    ...rows.map((row) => [
      `  ${row.workload.title}`,
      summaryText(row.subject, row.workload.unit),
      ...[...peers, ...others].map((peer) => summaryText(row.peers.get(peer), row.workload.unit)),
      ratioText(row.ratio),
      summaryText(row.native && { ...row.native, samples: [] }, row.workload.unit),
      verdictOf(row, kind),
    ]),
    ...judged(`  geometric mean${part}`, mean, group.mean),
    ...judged(`  worst${part}`, worst, group.worst),
  ];
}

/** The table as lines. The ratio says how many times faster the subject is than the best peer of the row. */
export function resultTable(results: readonly GroupResult[], comparison: Comparison): string {
  const head = ["", comparison.subject, ...comparison.peers, ...comparison.others, "ratio", "native", ""];
  const cells = [head, ...results.flatMap((each) => [[], ...groupCells(each, comparison)])];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => [...(row[column] ?? "")].length)));
  const line = (row: readonly string[]): string =>
    row
      .map((text, column) =>
        column === 0 || column === head.length - 1 ? pad(text, widths[column]) : padStart(text, widths[column]),
      )
      .join("  ")
      .trimEnd();
  return cells.map(line).join("\n");
}

const pad = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - [...text].length));
const padStart = (text: string, width: number): string => " ".repeat(Math.max(0, width - [...text].length)) + text;
