/** Limits of a disk: token buckets for requests and bytes. A request may run them into debt, which the next one waits for. */

export interface DiskLimits {
  /** Requests per second. */
  readonly iops?: number;
  readonly bytesPerSecond?: number;
}

/** How much may be used at once after a pause: what comes in during this time. */
const BURST_MS = 100;

export class RateLimit {
  readonly #requests: Bucket;
  readonly #bytes: Bucket;

  /** @param nowMs a clock that never goes back. */
  constructor({ iops, bytesPerSecond }: DiskLimits, nowMs: () => number) {
    this.#requests = new Bucket(iops, nowMs);
    this.#bytes = new Bucket(bytesPerSecond, nowMs);
  }

  /** 0 if a request may be served now; else how long it has to wait. */
  waitMs(): number {
    return Math.max(this.#requests.waitMs(), this.#bytes.waitMs());
  }

  /** Notes a request that is served. */
  charge(bytes: number): void {
    this.#requests.take(1);
    this.#bytes.take(bytes);
  }
}

class Bucket {
  readonly #perMs: number;
  readonly #most: number;
  readonly #nowMs: () => number;
  #level: number;
  #filledMs: number;

  constructor(perSecond: number | undefined, nowMs: () => number) {
    this.#perMs = (perSecond ?? Number.POSITIVE_INFINITY) / 1000;
    this.#most = Math.max(1, this.#perMs * BURST_MS);
    this.#nowMs = nowMs;
    this.#level = this.#most;
    this.#filledMs = nowMs();
  }

  waitMs(): number {
    if (this.#perMs === Number.POSITIVE_INFINITY) return 0;
    const now = this.#nowMs();
    this.#level = Math.min(this.#most, this.#level + (now - this.#filledMs) * this.#perMs);
    this.#filledMs = now;
    return this.#level > 0 ? 0 : Math.max(0.01, -this.#level / this.#perMs);
  }

  take(amount: number): void {
    if (this.#perMs !== Number.POSITIVE_INFINITY) this.#level -= amount;
  }
}
