/** What is measured: workloads in groups, and what each is to reach. Sessions measure them, results/ judges them. */

/** Units of a sample: seconds compare as a ratio to QEMU, the rest stands for itself. */
export type Unit = "s" | "ms" | "%" | "MiB" | "×";

/** Bounds for a value: ratios and speed-ups are to be at least this, all else at most. */
export interface Target {
  readonly must: number;
  readonly aim: number;
}

export interface Workload {
  /** What `--only` and the JSON call it. */
  readonly name: string;
  readonly title: string;
  readonly group: GroupName;
  readonly unit: Unit;
  /** For the workload's own value, or its ratio where the unit is seconds. */
  readonly target?: Target;
  /** Not compared between machines: shown for what it explains. */
  readonly informative?: boolean;
}

/** What a workload's output says; a checksum where the output does not depend on time. */
export interface Measured {
  readonly seconds: number;
  readonly checksum?: string;
}

export interface Group {
  readonly title: string;
  /** For ratios, over the group's workloads. */
  readonly mean?: Target;
  readonly worst?: Target;
}

export const groups = {
  small: { title: "small programs", mean: { must: 2, aim: 4 }, worst: { must: 1, aim: 1.5 } },
  real: { title: "real programs in Debian", mean: { must: 1.5, aim: 3 }, worst: { must: 1, aim: 2 } },
  boot: { title: "boots" },
  harts: { title: "two harts" },
  idle: { title: "an idle guest" },
  memory: { title: "resident memory" },
  stall: { title: "stalls while fresh code runs" },
} as const satisfies Record<string, Group>;

export type GroupName = keyof typeof groups;

/** A group's table entry with all its properties, absent ones too. */
export const groupOf = (name: GroupName): Group => groups[name];

/** Whether more is better in a unit, and in the ratio of seconds. */
export const moreIsBetter = (unit: Unit): boolean => unit === "×" || unit === "s";
