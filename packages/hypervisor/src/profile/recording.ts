/**
 * Samples as they are taken, in bounded memory: when it is full every second moment is dropped and from then on only
 * every second is kept, so that however long a run is, its samples are evenly spread and weigh the same.
 */
import type { Samples } from "./profile.ts";

/** Samples kept at most. */
const MOST_SAMPLES = 1 << 17;

export class Recording {
  readonly #intervalMs: number;
  readonly #most: number;
  #times: Float64Array<ArrayBuffer>;
  #harts: Uint8Array<ArrayBuffer>;
  #tiers: Uint8Array<ArrayBuffer>;
  #stacks: Uint32Array<ArrayBuffer>;
  #count = 0;
  /** Only every so manieth moment is kept. */
  #stride = 1;
  #moments = 0;

  /** @param most samples kept at most. */
  constructor(intervalMs: number, most = MOST_SAMPLES) {
    this.#intervalMs = intervalMs;
    this.#most = most;
    this.#times = new Float64Array(most);
    this.#harts = new Uint8Array(most);
    this.#tiers = new Uint8Array(most);
    this.#stacks = new Uint32Array(most);
  }

  /** Begins a moment, at which each hart is sampled once. @returns whether its samples are wanted. */
  begin(harts: number): boolean {
    if (this.#count + harts > this.#most) this.#thin();
    return this.#moments++ % this.#stride === 0;
  }

  add(timeMs: number, hart: number, tier: number, stack: number): void {
    const at = this.#count++;
    this.#times[at] = timeMs;
    this.#harts[at] = hart;
    this.#tiers[at] = tier;
    this.#stacks[at] = stack;
  }

  finish(): Samples {
    const count = this.#count;
    return {
      intervalMs: this.#intervalMs * this.#stride,
      timesMs: this.#times.slice(0, count),
      harts: this.#harts.slice(0, count),
      tiers: this.#tiers.slice(0, count),
      stacks: this.#stacks.slice(0, count),
    };
  }

  #thin(): void {
    let kept = 0;
    let moment = -1;
    for (let at = 0; at < this.#count; at++) {
      if (at === 0 || this.#times[at] !== this.#times[at - 1]) moment++;
      if (moment % 2 === 1) continue;
      this.#times[kept] = this.#times[at];
      this.#harts[kept] = this.#harts[at];
      this.#tiers[kept] = this.#tiers[at];
      this.#stacks[kept++] = this.#stacks[at];
    }
    this.#count = kept;
    this.#stride *= 2;
  }
}
