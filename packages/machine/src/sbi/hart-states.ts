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

/** Where a hart begins in S-mode: physical address, and what `a1` holds. */
export interface HartEntry {
  readonly address: bigint;
  readonly opaque: bigint;
}

interface Entry {
  status: HartStatus;
  /** Entry to take when the hart starts, or when it resumes from a non-retentive suspend. */
  entry: HartEntry | undefined;
}

export class HartStates {
  readonly #harts: Entry[];

  /** All `count` harts stopped. */
  constructor(count: number) {
    this.#harts = Array.from({ length: count }, () => ({ status: HartStatus.stopped, entry: undefined }));
  }

  get count(): number {
    return this.#harts.length;
  }

  status(hart: number): HartStatus {
    return this.#harts[hart].status;
  }

  /** Asks a stopped hart to start; false if it is not stopped. */
  requestStart(hart: number, entry: HartEntry): boolean {
    if (this.#harts[hart].status !== HartStatus.stopped) return false;
    this.#harts[hart] = { status: HartStatus.startPending, entry };
    return true;
  }

  stop(hart: number): void {
    this.#harts[hart] = { status: HartStatus.stopped, entry: undefined };
  }

  /** Suspends a hart; with `entry` the suspend is non-retentive. */
  suspend(hart: number, entry: HartEntry | undefined): void {
    this.#harts[hart] = { status: HartStatus.suspended, entry };
  }

  /** Completes a pending start or wakes a suspended hart; gives the entry to take, if its state is not to be kept. */
  resume(hart: number): HartEntry | undefined {
    const { entry } = this.#harts[hart];
    this.#harts[hart] = { status: HartStatus.started, entry: undefined };
    return entry;
  }
}
