/**
 * How many frames a port may send to everybody: a bucket of tokens that fills with time. It stops a guest's broadcasts,
 * and frames to addresses that nobody has, from becoming everybody's work.
 */

export interface FloodLimit {
  /** Frames per second in the long run. */
  readonly perSecond: number;
  /** Frames at once after a silence. */
  readonly burst: number;
}

export const usualFloodLimit: FloodLimit = { perSecond: 1000, burst: 2000 };

export class FloodBucket {
  readonly #limit: FloodLimit;
  readonly #nowMs: () => number;
  #tokens: number;
  #lastMs: number;

  constructor(limit: FloodLimit, nowMs: () => number) {
    this.#limit = limit;
    this.#nowMs = nowMs;
    this.#tokens = limit.burst;
    this.#lastMs = nowMs();
  }

  /** Whether one more frame may go to everybody now. */
  take(): boolean {
    const now = this.#nowMs();
    const { perSecond, burst } = this.#limit;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#lastMs) / 1000) * perSecond);
    this.#lastMs = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
