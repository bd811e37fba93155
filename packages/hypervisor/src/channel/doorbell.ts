/**
 * A doorbell: a counter in shared memory that one domain sleeps on and any other may ring. A domain reads `count`,
 * looks at everything that may have work for it, and sleeps only while the count is still the same, so no ring is lost.
 */
export class Doorbell {
  readonly memory: SharedArrayBuffer;
  readonly #cell: Int32Array;

  /** @param memory what another thread's `Doorbell.memory` was; a fresh one when left out. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.memory = memory;
    this.#cell = new Int32Array(memory);
  }

  get count(): number {
    return Atomics.load(this.#cell, 0);
  }

  ring(): void {
    Atomics.add(this.#cell, 0, 1);
    Atomics.notify(this.#cell, 0);
  }

  /** Blocks the thread until the count differs from `seen` or the time is over. Not for a main thread. */
  sleep(seen: number, timeoutMs = Number.POSITIVE_INFINITY): void {
    if (timeoutMs > 0) Atomics.wait(this.#cell, 0, seen, timeoutMs);
  }

  /** Resolves when the count differs from `seen`. Doesn't keep a process alive. */
  async changed(seen: number): Promise<void> {
    const wait = Atomics.waitAsync(this.#cell, 0, seen);
    if (wait.async) await wait.value;
  }
}
