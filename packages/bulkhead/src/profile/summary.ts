/** A profile in sums: where the time of the harts went, by tier, by function and by process. */
import type { Frame, Profile, Tier } from "@bulkhead/hypervisor";
import { tiers } from "@bulkhead/hypervisor";

export interface Share<Key> {
  readonly key: Key;
  readonly seconds: number;
  /** Of what `Summary` says. */
  readonly percent: number;
}

/**
 * How far apart samples of a hart may be for the time between them to count as seen: a profiler's thread has to wait for
 * its turn on a busy host, and is busy itself when it reads symbols.
 */
export const longestGapMs = ({ samples }: Profile): number => Math.max(50, 4 * samples.intervalMs);

export interface Summary {
  /** Seconds of all harts together, idle ones included. */
  readonly totalSeconds: number;
  /** Seconds in which a hart did something. */
  readonly busySeconds: number;
  /** Seconds, of the time that the guest ran, between samples that are too far apart. */
  readonly unseenSeconds: number;
  /** By tier, in percent of the total; the largest first. */
  readonly tiers: readonly Share<Tier>[];
  /** By function without its callees, in percent of the busy time; the largest first. */
  readonly functions: readonly Share<Frame>[];
  /** By process, likewise. */
  readonly processes: readonly Share<Frame>[];
}

/** Tiers in which a hart does nothing. */
const RESTING: ReadonlySet<Tier> = new Set<Tier>(["idle", "turn"]);

export function summarize(profile: Profile): Summary {
  const { samples, stacks, frames, durationMs, harts } = profile;
  const count = samples.timesMs.length;
  const totalSeconds = (durationMs / 1000) * harts;
  const secondsEach = count === 0 ? 0 : totalSeconds / count;
  const byTier = new Map<Tier, number>();
  const byFunction = new Map<Frame, number>();
  const byProcess = new Map<Frame, number>();
  let busy = 0;
  let unseenMs = 0;
  for (let i = 0; i < count; i++) {
    const gapMs = i === 0 ? 0 : samples.timesMs[i] - samples.timesMs[i - 1];
    if (gapMs > longestGapMs(profile)) unseenMs += gapMs;
    const tier = tiers[samples.tiers[i]];
    add(byTier, tier);
    if (RESTING.has(tier)) continue;
    busy++;
    const stack = stacks[samples.stacks[i]];
    add(byProcess, frames[stack[0]]);
    add(byFunction, frames[stack.at(-1)!]);
  }
  const shares = <Key>(counts: Map<Key, number>, of: number): Share<Key>[] =>
    [...counts]
      .map(([key, n]) => ({ key, seconds: n * secondsEach, percent: (100 * n) / of }))
      .sort((a, b) => b.seconds - a.seconds);
  return {
    totalSeconds,
    busySeconds: busy * secondsEach,
    unseenSeconds: unseenMs / 1000,
    tiers: shares(byTier, count),
    functions: shares(byFunction, busy),
    processes: shares(byProcess, busy),
  };
}

const add = <Key>(counts: Map<Key, number>, key: Key): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
