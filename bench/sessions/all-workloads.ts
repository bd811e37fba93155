/** Every workload of every session, known before anything is prepared: for `--list` and `--only`. */
import { groups, type Workload } from "../workloads/workload.ts";
import { bootWorkloads } from "./boot-session.ts";
import { busyboxWorkloads } from "./busybox-session.ts";
import { debianWorkloads } from "./debian-session.ts";
import { hartsWorkloads } from "./harts-session.ts";
import { ioWorkloads } from "./io-session.ts";
import { shareWorkloads } from "./share-session.ts";

/** What a quick run measures too: everything that needs no large image. */
export const quickWorkloads: readonly Workload[] = [...bootWorkloads, ...busyboxWorkloads, ...hartsWorkloads];

export const allWorkloads: readonly Workload[] = [
  ...quickWorkloads,
  ...debianWorkloads,
  ...ioWorkloads,
  ...shareWorkloads,
];

/** The names that `--only` takes: workloads and groups. */
export const knownNames = (): string[] => [...Object.keys(groups), ...allWorkloads.map(({ name }) => name)];

/** The workloads that a choice by `--only` means; all where nothing is chosen. */
export function chosenWorkloads(only: readonly string[], quick: boolean): Workload[] {
  const offered = quick ? quickWorkloads : allWorkloads;
  return offered.filter(({ name, group }) => only.length === 0 || only.includes(name) || only.includes(group));
}

/** The list that `--list` prints. */
export function workloadList(): string {
  const width = Math.max(...allWorkloads.map(({ name }) => name.length));
  return Object.entries(groups)
    .map(([group, { title }]) => {
      const own = allWorkloads.filter((each) => each.group === group);
      return [`${group}: ${title}`, ...own.map(({ name, title }) => `  ${name.padEnd(width)}  ${title}`)].join("\n");
    })
    .join("\n");
}
