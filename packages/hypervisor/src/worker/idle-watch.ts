/** Tells when a guest has been idle for a while, so that memory can be given back. Who calls it: the machine of a partition. */

/** How long a guest has to be idle, and what part of that time it may have been busy. */
const WINDOW_MS = 5000;
const BUSY = 0.05;

export class IdleWatch {
  readonly #nowMs: () => number;
  #windowStart: number;
  #sleptMs = 0;
  /** It has been told since the guest was busy last. */
  #told = false;

  constructor(nowMs = () => performance.now()) {
    this.#nowMs = nowMs;
    this.#windowStart = nowMs();
  }

  /**
   * Sleeps by `sleep`. True once when most of the last seconds have been slept, and again only after the guest was busy for as
   * long.
   */
  rest(sleep: () => void): boolean {
    const before = this.#nowMs();
    sleep();
    const now = this.#nowMs();
    this.#sleptMs += now - before;
    const windowMs = now - this.#windowStart;
    if (windowMs < WINDOW_MS) return false;
    const isIdle = this.#sleptMs >= windowMs * (1 - BUSY);
    const isNews = isIdle && !this.#told;
    this.#told = isIdle;
    this.#windowStart = now;
    this.#sleptMs = 0;
    return isNews;
  }
}
