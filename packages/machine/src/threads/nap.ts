/**
 * How a hart's thread goes to sleep: at once, or after a moment of spinning when its last sleeps were short. Waking a
 * sleeper takes some 25 µs, which two harts that answer each other would spend on every turn.
 */
import type { Board } from "./board.ts";

/** A sleep that would have been worth spinning for, and how long to spin. */
const SHORT_MS = 0.1;
const SPIN_MS = 0.06;
/** Short sleeps in a row that count; each long one takes one back. */
const MOST_CREDIT = 4;
/** Looks at the word between looks at the time. */
const LOOKS = 32;

export class Nap {
  readonly #board: Board;
  readonly #thread: number;
  #credit = 0;

  constructor(board: Board, thread: number) {
    this.#board = board;
    this.#thread = thread;
  }

  /** @param seen the thread's wake count when there was nothing to do. @param sleep blocks until it is another. */
  rest(seen: number, sleep: () => void): void {
    const from = performance.now();
    const awake = (): boolean => this.#board.wakeCount(this.#thread) !== seen;
    if (this.#credit > 0) {
      do {
        for (let look = 0; look < LOOKS; look++) {
          if (awake()) {
            this.#credit = MOST_CREDIT;
            return;
          }
          Atomics.pause();
        }
      } while (performance.now() < from + SPIN_MS);
    }
    sleep();
    const short = awake() && performance.now() < from + SHORT_MS;
    this.#credit = short ? Math.min(this.#credit + 1, MOST_CREDIT) : Math.max(this.#credit - 1, 0);
  }
}
