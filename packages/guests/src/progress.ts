// How a long build tells what it does: phases with an expected duration, and from them the time left.
// Called by every step of ensureImage; the command line draws what it is given.

/** What is being done now; `fraction` is of the whole build, 0 to 1; `secondsLeft` is an estimate. */
export interface Progress {
  phase: string;
  text: string;
  fraction: number;
  secondsLeft: number;
}

export type OnProgress = (progress: Progress) => void;

/** A phase and how long it is expected to take on a usual machine. */
export interface Phase {
  name: string;
  expectedMs: number;
}

/** Follows a list of phases, in order, and reports after each step. */
export class ProgressMeter {
  readonly #phases: readonly Phase[];
  readonly #report: OnProgress;
  readonly #now: () => number;
  #index = 0;
  #startedMs: number;

  constructor(phases: readonly Phase[], report: OnProgress = () => {}, now = () => performance.now()) {
    this.#phases = phases;
    this.#report = report;
    this.#now = now;
    this.#startedMs = now();
  }

  /** Enters the named phase; phases before it count as done. Unknown or earlier phases are a bug of the caller. */
  enter(name: string, text: string): void {
    const index = this.#phases.findIndex((phase) => phase.name === name);
    if (index < this.#index) throw new RangeError(`phase ${name} is not ahead`);
    this.#index = index;
    this.#startedMs = this.#now();
    this.step(0, text);
  }

  /** Reports that `fraction` (0 to 1) of the present phase is done. */
  step(fraction: number, text: string): void {
    const phase = this.#phases[this.#index];
    if (phase === undefined) return;
    const part = Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0));
    const elapsedMs = this.#now() - this.#startedMs;
    const expectedLeftMs = phase.expectedMs * (1 - part);
    const measuredLeftMs = part > 0 ? (elapsedMs * (1 - part)) / part : expectedLeftMs;
    // The measurement is trusted as it grows; early on it says little.
    const leftMs = measuredLeftMs * part + expectedLeftMs * (1 - part);
    const sum = (phases: readonly Phase[]) => phases.reduce((total, each) => total + each.expectedMs, 0);
    const laterMs = sum(this.#phases.slice(this.#index + 1));
    const doneMs = sum(this.#phases.slice(0, this.#index)) + phase.expectedMs * part;
    this.#report({
      phase: phase.name,
      text,
      fraction: doneMs / sum(this.#phases),
      secondsLeft: Math.ceil((leftMs + laterMs) / 1000),
    });
  }
}
