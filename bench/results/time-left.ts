/** From what work was expected to take and what it took to how long the rest will take. */

export class TimeLeft {
  #expectedTotal: number;
  #expectedDone = 0;
  #taken = 0;

  /** @param expectedTotal seconds that all work is expected to take. */
  constructor(expectedTotal: number) {
    this.#expectedTotal = expectedTotal;
  }

  /** A piece of work is done that was expected to take `expected` seconds and took `taken`. */
  done(expected: number, taken: number): void {
    this.#expectedDone += expected;
    this.#taken += taken;
  }

  /** Work that will not be done after all. */
  skip(expected: number): void {
    this.#expectedTotal -= expected;
  }

  get fraction(): number {
    return this.#expectedTotal <= 0 ? 1 : Math.min(1, this.#expectedDone / this.#expectedTotal);
  }

  /**
   * Seconds left, when the present piece was expected to take `expected` seconds and has taken `running` so far. Early
   * guesses lean on the expectation; a piece that is overdue is taken to need a quarter more than it has had.
   */
  secondsLeft(expected: number, running: number): number {
    const pace = (this.#taken + 20) / (this.#expectedDone + 20);
    const later = Math.max(0, this.#expectedTotal - this.#expectedDone - expected) * pace;
    return later + Math.max(expected * pace - running, running / 4);
  }
}
