/** What a profile holds: samples of what each hart did, as plain data that can be posted between threads. */

/** What the time of a hart goes to. `turn`: it could run, but another hart has the thread. */
export const tiers = ["idle", "interpreter", "translated", "compile", "refill", "exit", "device", "turn"] as const;

export type Tier = (typeof tiers)[number];

/** Samples in the order of time, one entry in each list; each stands for about `intervalMs`. */
export interface Samples {
  readonly intervalMs: number;
  /** From the start of the profile. */
  readonly timesMs: Float64Array;
  readonly harts: Uint8Array;
  /** Index in `tiers`. */
  readonly tiers: Uint8Array;
  /** Index in `stacks`. */
  readonly stacks: Uint32Array;
}

/** A function, or what stands for one. */
export interface Frame {
  readonly name: string;
  /** The program, library or kernel that it is of; empty where that makes no sense. */
  readonly module: string;
}

export interface Profile {
  readonly harts: number;
  readonly durationMs: number;
  readonly samples: Samples;
  readonly frames: readonly Frame[];
  /** Indices in `frames`, outermost first: a process, then its functions. */
  readonly stacks: readonly (readonly number[])[];
  /** Why names are missing, for the reader: one sentence each. */
  readonly remarks: readonly string[];
}
