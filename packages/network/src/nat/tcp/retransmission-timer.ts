/** How long to wait for an acknowledgement. @spec RFC 6298 "Computing TCP's Retransmission Timer" */

const FIRST_MS = 1000;
const LEAST_MS = 200;
const MOST_MS = 60_000;

export class RetransmissionTimer {
  #smoothMs = 0;
  #varianceMs = 0;
  #timeoutMs = FIRST_MS;
  #measured = false;

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** Takes the time between something sent once and its acknowledgement. */
  sample(roundTripMs: number): void {
    if (this.#measured) {
      this.#varianceMs = 0.75 * this.#varianceMs + 0.25 * Math.abs(this.#smoothMs - roundTripMs);
      this.#smoothMs = 0.875 * this.#smoothMs + 0.125 * roundTripMs;
    } else {
      this.#smoothMs = roundTripMs;
      this.#varianceMs = roundTripMs / 2;
      this.#measured = true;
    }
    this.#timeoutMs = clamp(this.#smoothMs + 4 * this.#varianceMs);
  }

  backOff(): void {
    this.#timeoutMs = clamp(this.#timeoutMs * 2);
  }
}

const clamp = (ms: number): number => Math.min(MOST_MS, Math.max(LEAST_MS, ms));
