/**
 * The HSM state of each hart. Calls move it; the machine's loop completes a pending start, resumes suspended harts
 * and runs only those that are started. @spec sbi "Hart State Management Extension"
 *
 *   stopped → startPending → started → stopped
 *                            started → suspended → started
 */

/** State ids as `sbi_hart_get_status` returns them. Stopping and resuming take no time here, so 3, 5 and 6 never show. */
export const HartStatus = { started: 0, stopped: 1, startPending: 2, suspended: 4 } as const;
export type HartStatus = (typeof HartStatus)[keyof typeof HartStatus];

/** Being asked to start by one hart: its entry is not there yet. Others see a pending start. */
const RESERVED = -1;

/** Where a hart begins in S-mode: physical address, and what `a1` holds. */
export interface HartEntry {
  readonly address: bigint;
  readonly opaque: bigint;
}

/** Words of a hart: its status, and whether it has an entry to take; then the entry, in 64-bit words. */
const HART_WORDS = 2;
const ENTRY_WORDS = 2;

export class HartStates {
  /** Bytes that `memory` has to have for `count` harts. */
  static bytes(count: number): number {
    return count * (HART_WORDS * 4 + ENTRY_WORDS * 8);
  }

  readonly count: number;
  readonly #words: Int32Array;
  readonly #entries: BigInt64Array;

  /** All harts stopped, unless `memory` is another thread's: then they are what they are. */
  constructor(count: number, memory?: ArrayBufferLike) {
    const own = memory ?? new ArrayBuffer(HartStates.bytes(count));
    this.count = count;
    this.#entries = new BigInt64Array(own, 0, count * ENTRY_WORDS);
    this.#words = new Int32Array(own, count * ENTRY_WORDS * 8, count * HART_WORDS);
    if (memory === undefined) this.reset();
  }

  /** All harts stopped. */
  reset(): void {
    for (let hart = 0; hart < this.count; hart++) this.stop(hart);
  }

  status(hart: number): HartStatus {
    const status = Atomics.load(this.#words, hart * HART_WORDS);
    return (status === RESERVED ? HartStatus.startPending : status) as HartStatus;
  }

  /** Asks a stopped hart to start; false if it is not stopped. */
  requestStart(hart: number, entry: HartEntry): boolean {
    const before = Atomics.compareExchange(this.#words, hart * HART_WORDS, HartStatus.stopped, RESERVED);
    if (before !== HartStatus.stopped) return false;
    this.#setEntry(hart, entry);
    Atomics.store(this.#words, hart * HART_WORDS, HartStatus.startPending);
    return true;
  }

  /** Whether a hart has been asked to start, and its entry is there. */
  isStartPending(hart: number): boolean {
    return Atomics.load(this.#words, hart * HART_WORDS) === HartStatus.startPending;
  }

  stop(hart: number): void {
    Atomics.store(this.#words, hart * HART_WORDS, HartStatus.stopped);
  }

  /** Suspends a hart; with `entry` the suspend is non-retentive. */
  suspend(hart: number, entry: HartEntry | undefined): void {
    this.#setEntry(hart, entry);
    Atomics.store(this.#words, hart * HART_WORDS, HartStatus.suspended);
  }

  /** Completes a pending start or wakes a suspended hart; gives the entry to take, if its state is not to be kept. */
  resume(hart: number): HartEntry | undefined {
    const status = Atomics.load(this.#words, hart * HART_WORDS);
    const has = status !== HartStatus.stopped && this.#words[hart * HART_WORDS + 1] !== 0;
    const wide = (index: number): bigint => BigInt.asUintN(64, this.#entries[hart * ENTRY_WORDS + index]);
    const entry = has ? { address: wide(0), opaque: wide(1) } : undefined;
    this.#words[hart * HART_WORDS + 1] = 0;
    Atomics.store(this.#words, hart * HART_WORDS, HartStatus.started);
    return entry;
  }

  save(): { words: number[]; entries: bigint[] } {
    return { words: [...this.#words], entries: [...this.#entries] };
  }

  /** While no hart runs. */
  restore(saved: { readonly words: readonly number[]; readonly entries: readonly bigint[] }): void {
    this.#words.set(saved.words);
    this.#entries.set(saved.entries);
  }

  #setEntry(hart: number, entry: HartEntry | undefined): void {
    this.#words[hart * HART_WORDS + 1] = entry === undefined ? 0 : 1;
    if (entry === undefined) return;
    this.#entries[hart * ENTRY_WORDS] = entry.address;
    this.#entries[hart * ENTRY_WORDS + 1] = entry.opaque;
  }
}
