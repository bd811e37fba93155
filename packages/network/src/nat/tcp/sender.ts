/**
 * The sending half of a connection: what is queued, what is in flight, and when it is sent again. There is no
 * congestion on a link in memory, so only the receiver's window holds data back, until something is lost.
 * @spec RFC 9293 "Data Communication"; RFC 6582 for what follows a loss
 */
import { ByteQueue } from "./byte-queue.ts";
import { RetransmissionTimer } from "./retransmission-timer.ts";
import { advance, ahead } from "./sequence.ts";

/** A peer that acknowledges nothing for so many timeouts in a row is gone: some minutes. */
const MOST_RETRIES = 12;
const DUPLICATES_OF_A_LOSS = 3;

export interface Outgoing {
  readonly sequence: number;
  readonly parts: readonly Uint8Array[];
  readonly length: number;
  readonly fin: boolean;
}

export interface SenderOptions {
  /** Sequence number of the first byte. */
  readonly first: number;
  /** The peer's window and how far its window field is shifted. */
  readonly window: number;
  readonly scale: number;
  /** Most bytes of a segment on the wire, and of one that is still to be cut. */
  readonly mss: number;
  readonly mostBytes: number;
}

export class Sender {
  readonly queue = new ByteQueue();
  readonly #timer = new RetransmissionTimer();
  readonly #mss: number;
  readonly #mostBytes: number;
  readonly #scale: number;
  /** Oldest that is not acknowledged, next to be sent, and the furthest that was ever sent. */
  #unacknowledged: number;
  #next: number;
  #furthest: number;
  #window: number;
  #largestWindow: number;
  #ended = false;
  #finAcknowledged = false;
  #duplicates = 0;
  #again = false;
  /** While a loss is repaired: what was sent when it was noticed. */
  #recovery: number | undefined;
  /** Bytes that may be in flight; unlimited unless a timeout has told that the link is bad. */
  #allowed = Number.POSITIVE_INFINITY;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #retries = 0;
  /** A measurement that runs: what has to be acknowledged, and since when. */
  #timed: { readonly sequence: number; readonly sinceMs: number } | undefined;

  constructor({ first, window, scale, mss, mostBytes }: SenderOptions) {
    this.#unacknowledged = first;
    this.#next = first;
    this.#furthest = first;
    this.#window = window;
    this.#largestWindow = window;
    this.#scale = scale;
    this.#mss = mss;
    this.#mostBytes = Math.max(mss, mostBytes - (mostBytes % mss));
  }

  /** Sequence number of the next new segment. */
  get next(): number {
    return this.#next;
  }

  /** Everything up to the end has been sent and acknowledged. */
  get done(): boolean {
    return this.#finAcknowledged;
  }

  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Nothing will be queued any more: the end follows the last byte. */
  end(): void {
    this.#ended = true;
  }

  /** Takes what a segment acknowledges. @returns false when it acknowledges what was never sent. */
  acknowledge(acknowledgement: number, windowField: number, empty: boolean, nowMs: number): boolean {
    const count = ahead(acknowledgement, this.#unacknowledged);
    if (count > ahead(this.#furthest, this.#unacknowledged)) return false;
    if (count < 0) return true;
    const window = windowField << this.#scale;
    const changed = window !== this.#window;
    this.#window = window;
    this.#largestWindow = Math.max(this.#largestWindow, window);
    // A peer that says that it has no room is there.
    if (window === 0) this.#retries = 0;
    if (count > 0) this.#advance(acknowledgement, count, nowMs);
    else if (empty && !changed && this.#inFlight > 0) this.#duplicate();
    this.#arm(nowMs, count > 0);
    return true;
  }

  /** What may be sent now, if anything. `sent` must follow when it was. */
  take(): Outgoing | undefined {
    if (this.#again) {
      const length = Math.min(this.#mss, this.queue.length, Math.max(1, this.#window));
      return this.#outgoing(this.#unacknowledged, length);
    }
    const offset = ahead(this.#next, this.#unacknowledged);
    const waiting = this.queue.length - offset;
    if (waiting < 0) return undefined;
    if (waiting === 0) return this.#ended ? this.#outgoing(this.#next, 0) : undefined;
    const usable = Math.min(this.#window, this.#allowed) - offset;
    const length = this.#whole(Math.min(waiting, usable, this.#mostBytes), waiting);
    if (length <= 0 || (length < waiting && this.#isScrap(length, offset))) return undefined;
    return this.#outgoing(this.#next, length);
  }

  /** What `take` gave has been sent. */
  sent({ sequence, length, fin }: Outgoing, nowMs: number): void {
    this.#again = false;
    const end = advance(sequence, length + (fin ? 1 : 0));
    const isNew = ahead(end, this.#furthest) > 0;
    if (ahead(end, this.#next) > 0) this.#next = end;
    if (isNew) {
      this.#furthest = end;
      this.#timed ??= { sequence: end, sinceMs: nowMs };
    } else this.#timed = undefined;
    if (this.#deadlineMs === Number.POSITIVE_INFINITY) this.#arm(nowMs, true);
  }

  /** Looks at the clock. @returns false when the peer is gone. */
  tick(nowMs: number): boolean {
    if (nowMs < this.#deadlineMs) return true;
    if (++this.#retries > MOST_RETRIES) return false;
    this.#timer.backOff();
    this.#timed = undefined;
    if (this.#inFlight === 0) this.#probe();
    else this.#startOver();
    this.#deadlineMs = nowMs + this.#timer.timeoutMs;
    return true;
  }

  /** Nothing more can be sent for now: what waits for a window needs a timer too. */
  wait(nowMs: number): void {
    this.#arm(nowMs, false);
  }

  /**
   * Whether it is better to wait for more of a window than to send so little: a slow reader opens it bit by bit. What
   * is in flight brings an acknowledgement, at once for two segments. @spec RFC 9293 "Silly Window Syndrome Avoidance"
   */
  #isScrap(length: number, inFlight: number): boolean {
    if (inFlight >= 2 * this.#mss) return length < Math.min(this.#mostBytes, this.#largestWindow / 4);
    return length < this.#mss && inFlight > 0;
  }

  get #inFlight(): number {
    return ahead(this.#furthest, this.#unacknowledged);
  }

  #outgoing(sequence: number, length: number): Outgoing {
    const offset = ahead(sequence, this.#unacknowledged);
    const fin = this.#ended && offset + length === this.queue.length;
    return { sequence, parts: this.queue.views(offset, length), length, fin };
  }

  /** Whole segments, unless the last bytes are among them. */
  #whole(length: number, waiting: number): number {
    return length > this.#mss && length < waiting ? length - (length % this.#mss) : length;
  }

  #advance(acknowledgement: number, count: number, nowMs: number): void {
    const bytes = Math.min(count, this.queue.length);
    this.queue.drop(bytes);
    if (count > bytes) this.#finAcknowledged = true;
    this.#unacknowledged = acknowledgement;
    if (ahead(this.#next, acknowledgement) < 0) this.#next = acknowledgement;
    this.#retries = 0;
    this.#duplicates = 0;
    this.#again = false;
    if (this.#timed !== undefined && ahead(acknowledgement, this.#timed.sequence) >= 0) {
      this.#timer.sample(nowMs - this.#timed.sinceMs);
      this.#timed = undefined;
    }
    this.#recover(acknowledgement, count);
  }

  #recover(acknowledgement: number, count: number): void {
    if (this.#recovery === undefined) return;
    if (ahead(acknowledgement, this.#recovery) >= 0) {
      this.#recovery = undefined;
      this.#allowed = Number.POSITIVE_INFINITY;
    } else if (this.#allowed === Number.POSITIVE_INFINITY) this.#again = true;
    else this.#allowed += count;
  }

  #duplicate(): void {
    if (++this.#duplicates !== DUPLICATES_OF_A_LOSS || this.#recovery !== undefined) return;
    this.#recovery = this.#furthest;
    this.#again = true;
  }

  /** Sends all again from the oldest on, slowly at first. */
  #startOver(): void {
    this.#recovery = this.#furthest;
    this.#allowed = this.#mss;
    this.#next = this.#unacknowledged;
    this.#again = true;
  }

  /** A byte more than the peer's window allows: its answer says whether it has opened. */
  #probe(): void {
    if (this.queue.length === 0) return;
    this.#window = Math.max(this.#window, 1);
  }

  /** The timer runs while something is in flight, or waits for a window. */
  #arm(nowMs: number, restart: boolean): void {
    const waits = this.#inFlight > 0 || this.queue.length > 0 || (this.#ended && !this.#finAcknowledged);
    if (!waits) this.#deadlineMs = Number.POSITIVE_INFINITY;
    else if (restart || this.#deadlineMs === Number.POSITIVE_INFINITY) {
      this.#deadlineMs = nowMs + this.#timer.timeoutMs;
    }
  }
}
