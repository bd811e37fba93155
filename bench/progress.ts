/** What is being done, on standard error: redrawn in place on a terminal, now and then a line elsewhere. */
import { duration, ProgressLine } from "../packages/bulkhead/src/progress-line.ts";
import { Output } from "../packages/bulkhead/src/streams.ts";
import type { TimeLeft } from "./results/time-left.ts";

const TICK_MS = 500;

export class Progress {
  readonly #line = new ProgressLine(new Output(process.stderr), true);

  /** Shows preparations, whose duration nobody knows. */
  readonly prepare = (text: string): void => this.#line.show(text);

  /** Shows a step while it lasts. */
  async during<T>(text: string, expectedSeconds: number, left: TimeLeft, work: () => Promise<T>): Promise<T> {
    const startMs = performance.now();
    const show = (): void => {
      const seconds = left.secondsLeft(expectedSeconds, (performance.now() - startMs) / 1000);
      this.#line.show(`${Math.floor(left.fraction * 100)} %, ${duration(seconds)} left: ${text}`);
    };
    show();
    const ticking = setInterval(show, TICK_MS);
    try {
      return await work();
    } finally {
      clearInterval(ticking);
    }
  }

  /** A line that stays. */
  async say(text: string): Promise<void> {
    await this.#line.clear();
    process.stderr.write(`${text}\n`);
  }

  clear(): Promise<void> {
    return this.#line.clear();
  }
}
