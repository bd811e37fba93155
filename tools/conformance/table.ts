/** Results of test programs, by the group that their names begin with: `rv64ui-p-add` belongs to `rv64ui-p`. */
import type { Tier } from "./bare-machine.ts";
import { describe, type Verdict } from "./test-program.ts";

export interface Result {
  readonly test: string;
  readonly verdicts: Readonly<Partial<Record<Tier, Verdict>>>;
}

/** A row for each group: how many of its tests pass on each tier. Cells line up, in Markdown's notation. */
export function resultTable(results: readonly Result[], tiers: readonly Tier[]): string {
  const groups = Map.groupBy(results, ({ test }) => groupOf(test));
  const rows = [...groups].map(([group, members]) => [group, ...tiers.map((tier) => score(members, tier))]);
  return formatTable([["Group", ...tiers], ...rows, ["all", ...tiers.map((tier) => score(results, tier))]]);
}

/** One line for each test that does not pass everywhere. */
export function failures(results: readonly Result[]): string[] {
  return results.flatMap(({ test, verdicts }) =>
    Object.entries(verdicts)
      .filter(([, verdict]) => verdict.kind !== "pass")
      .map(([tier, verdict]) => `${test} on ${tier}: ${describe(verdict)}`),
  );
}

const groupOf = (test: string): string => test.split("-", 2).join("-");

function score(results: readonly Result[], tier: Tier): string {
  const passed = results.filter(({ verdicts }) => verdicts[tier]?.kind === "pass").length;
  return `${passed} of ${results.length}`;
}

function formatTable([head, ...body]: readonly (readonly string[])[]): string {
  const widths = head!.map((_, column) => Math.max(...[head!, ...body].map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [line(head!), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}
