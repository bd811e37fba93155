/** The host's clock; its timers keep no process alive. */
import type { Clock } from "./clock.ts";

export const hostClock: Clock = {
  get nowMs() {
    return performance.now();
  },
  every(ms, work) {
    const timer = setInterval(work, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};
