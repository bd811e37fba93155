/** What is measured: workloads in groups, and what each is to reach. Sessions measure them, results/ judges them. */

/** Units of a sample: times for a piece of work, round trips and rates compare as a ratio to QEMU, the rest stands for itself. */
export type Unit = "s" | "µs" | "IOPS" | "MB/s" | "ms" | "%" | "MiB" | "×";

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
  /** For the workload's own value, or its ratio where the unit is one that compares. */
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
  disk: { title: "disks (fio)" },
  net: { title: "network through NAT" },
  share: { title: "a shared folder, with QEMU by 9p" },
} as const satisfies Record<string, Group>;

export type GroupName = keyof typeof groups;

/** A group's table entry with all its properties, absent ones too. */
export const groupOf = (name: GroupName): Group => groups[name];

const ratioUnits: readonly Unit[] = ["s", "µs", "IOPS", "MB/s"];
const rates: readonly Unit[] = ["IOPS", "MB/s"];

/** Whether values in a unit are compared between machines, as a ratio. */
export const compares = (unit: Unit): boolean => ratioUnits.includes(unit);

/** Whether a unit counts work per time: then more of it is better. */
export const isRate = (unit: Unit): boolean => rates.includes(unit);

/** Whether more is better of what is judged: the value in a unit, or its ratio where it is compared. */
export const moreIsBetter = (unit: Unit): boolean => unit === "×" || compares(unit);
