/** From samples to what is told: a row for each workload, a verdict for each group. */
import {
  compares,
  type Group,
  type GroupName,
  groupOf,
  groups,
  isRate,
  moreIsBetter,
  type Target,
  type Workload,
} from "../workloads/workload.ts";
import type { Samples } from "./samples.ts";
import { geometricMean, type Summary } from "./statistics.ts";

export const NATIVE = "native";

/** Who is compared: `subject` with the best of `peers` in each row; `others` are only shown. */
export interface Comparison {
  readonly subject: string;
  readonly peers: readonly string[];
  readonly others: readonly string[];
  readonly kind: "qemu" | "revision";
}

export interface Row {
  readonly workload: Workload;
  readonly subject: Summary | undefined;
  /** Peers and others that have samples. */
  readonly peers: ReadonlyMap<string, Summary>;
  /** The peer that did best, where the workload's unit compares. */
  readonly best: string | undefined;
  /** How many times faster than the best peer, likewise. */
  readonly ratio: number | undefined;
  readonly native: Summary | undefined;
}

/** How a value stands to a target. */
export type Verdict = "aim" | "must" | "missed";

/** The rows of the workloads that have samples, in the order of the groups. */
export function rowsOf(
  workloads: readonly Workload[],
  samples: Samples,
  { subject, peers, others }: Comparison,
): Row[] {
  const order = Object.keys(groups);
  const sorted = [...workloads].sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group));
  const rows = sorted.map((workload): Row => {
    const found = [...peers, ...others].flatMap((name) => {
      const summary = samples.summary(workload.name, name);
      return summary === undefined ? [] : [[name, summary] as const];
    });
    const own = samples.summary(workload.name, subject);
    const compared = compares(workload.unit) ? found.filter(([name]) => peers.includes(name)) : [];
    const rate = isRate(workload.unit);
    const best = compared.toSorted(([, a], [, b]) => (rate ? b.median - a.median : a.median - b.median))[0];
    return {
      workload,
      subject: own,
      peers: new Map(found),
      best: best?.[0],
      ratio: own === undefined || best === undefined ? undefined : faster(own.median, best[1].median, rate),
      native: samples.summary(workload.name, NATIVE),
    };
  });
  return rows.filter((row) => row.subject !== undefined || row.peers.size > 0);
}

const faster = (own: number, other: number, rate: boolean): number => (rate ? own / other : other / own);

/** Judges a value; ratios, and whatever is better when there is more of it, have to reach the target from below. */
export function judge(value: number, { must, aim }: Target, more: boolean): Verdict {
  const reaches = (bound: number): boolean => (more ? value >= bound : value <= bound);
  return reaches(aim) ? "aim" : reaches(must) ? "must" : "missed";
}

/** A row against its own target, where it has one. Ratios are only judged against QEMU: the targets speak of it. */
export function judgeRow({ workload, ratio, subject }: Row, kind: Comparison["kind"]): Verdict | undefined {
  if (workload.target === undefined || (compares(workload.unit) && kind !== "qemu")) return undefined;
  const value = compares(workload.unit) ? ratio : subject?.median;
  return value === undefined ? undefined : judge(value, workload.target, moreIsBetter(workload.unit));
}

export interface GroupResult {
  readonly name: GroupName;
  readonly group: Group;
  readonly rows: readonly Row[];
  /** Over the ratios of the group; undefined where there is none. */
  readonly mean: number | undefined;
  readonly worst: number | undefined;
  /** How many ratios these are of; fewer than the rows where a workload failed. */
  readonly ratios: number;
}

/** The rows by group, with the mean and the worst of their ratios where the group is judged by them. */
export function groupResults(rows: readonly Row[]): GroupResult[] {
  return (Object.keys(groups) as GroupName[]).flatMap((name) => {
    const own = rows.filter(({ workload }) => workload.group === name);
    if (own.length === 0) return [];
    const ratios = own.flatMap(({ ratio, workload }) => (ratio === undefined || workload.informative ? [] : [ratio]));
    const group = groupOf(name);
    const judged = group.mean !== undefined && ratios.length > 0;
    const [mean, worst] = judged ? [geometricMean(ratios), Math.min(...ratios)] : [undefined, undefined];
    return [{ name, group, rows: own, mean, worst, ratios: ratios.length }];
  });
}
