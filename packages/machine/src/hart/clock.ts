/**
 * Clocks that count the timebase: what the `time` CSR, `stimecmp` and the platform's `mtime` read.
 * Who calls it: `Hart`, the timer of the platform, and the machine's loop when it sleeps until a deadline.
 */

/** Ticks of the timebase per second, as on QEMU's `virt` machine; the device tree says the same. */
export const TIMEBASE_HZ = 10_000_000;
const TICKS_PER_MS = TIMEBASE_HZ / 1000;

/** A clock that never goes backwards. Both methods give the same count; a whole number below 2^53. */
export interface Clock {
  /** Ticks of the timebase since the machine's time zero, without allocating. */
  ticks(): number;
  now(): bigint;
}

/** The host's monotonic clock. Time zero is its creation, or `startTicks` earlier when a machine resumes. */
export class HostClock implements Clock {
  /** What the host's time was at time zero, in ms. */
  readonly originMs: number;
  readonly #nowMs: () => number;

  /**
   * @param nowMs the host's time. `performance.now` begins anew on every thread: clocks that threads are to share need
   * a time that all of them have.
   */
  constructor(startTicks = 0, nowMs: () => number = () => performance.now(), originMs?: number) {
    this.#nowMs = nowMs;
    this.originMs = originMs ?? nowMs() - startTicks / TICKS_PER_MS;
  }

  /** The same clock as one of another thread, which had its time zero at `originMs`. */
  static since(originMs: number, nowMs: () => number): HostClock {
    return new HostClock(0, nowMs, originMs);
  }

  ticks(): number {
    return Math.floor((this.#nowMs() - this.originMs) * TICKS_PER_MS);
  }

  now(): bigint {
    return BigInt(this.ticks());
  }
}

/** A clock that only moves when told to: deterministic runs and tests. */
export class ManualClock implements Clock {
  #ticks = 0;

  ticks(): number {
    return this.#ticks;
  }

  now(): bigint {
    return BigInt(this.#ticks);
  }

  advance(ticks: number): void {
    this.#ticks += ticks;
  }
}

/** Milliseconds of the host from now until the clock shows `deadline` (ticks); 0 if that has passed. */
export function millisecondsUntil(clock: Clock, deadline: bigint): number {
  return Math.max(0, (Number(deadline) - clock.ticks()) / TICKS_PER_MS);
}
