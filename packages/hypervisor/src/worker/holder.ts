/**
 * Does what the owner asks of a partition's thread between two slices: holds the machine while it is to pause, and hands its state
 * over. Who calls it: the machine's loop, each time around.
 */
import type { Doorbell } from "../channel/doorbell.ts";
import { type PostedError, postError } from "../host-error.ts";
import type { HoldOrder } from "../snapshot/hold-order.ts";
import type { HeldMachine } from "../snapshot/saved-machine.ts";

export type HoldMessage =
  | { readonly kind: "paused"; readonly paused: boolean }
  | { readonly kind: "held"; readonly held: HeldMachine }
  | { readonly kind: "not-held"; readonly error: PostedError };

/** What it holds. */
export interface HoldTarget {
  /** Brings every hart out of guest code. */
  hold(): void;
  release(): void;
  /** Goes on with requests that the host has not ended; true when there are none. */
  settle(): boolean;
  /** The state of the machine, which is held and settled. Errors: `HostError` if it cannot be saved. */
  save(): Omit<HeldMachine, "pausedMs">;
  /** The partition is to end. */
  readonly ending: boolean;
}

/** Between two looks at requests that are under way, where nothing rings. */
const SETTLE_MS = 1;

export class Holder {
  readonly #order: HoldOrder;
  readonly #target: HoldTarget;
  readonly #doorbell: Doorbell;
  readonly #tell: (message: HoldMessage) => void;

  constructor(order: HoldOrder, target: HoldTarget, doorbell: Doorbell, tell: (message: HoldMessage) => void) {
    this.#order = order;
    this.#target = target;
    this.#doorbell = doorbell;
    this.#tell = tell;
  }

  /** Returns when the machine may go on. Blocks the thread. */
  attend(): void {
    if (!this.#order.pending) return;
    const fromMs = performance.now();
    this.#target.hold();
    this.#settle();
    let told = false;
    for (;;) {
      const seen = this.#doorbell.count;
      while (this.#order.takeSave()) this.#save(fromMs);
      if (!this.#order.paused || this.#target.ending) break;
      if (!told) this.#tell({ kind: "paused", paused: true });
      told = true;
      this.#doorbell.sleep(seen);
    }
    this.#target.release();
    if (told) this.#tell({ kind: "paused", paused: false });
  }

  #settle(): void {
    for (;;) {
      const seen = this.#doorbell.count;
      if (this.#target.settle() || this.#target.ending) return;
      this.#doorbell.sleep(seen, SETTLE_MS);
    }
  }

  #save(fromMs: number): void {
    try {
      const held = this.#target.save();
      this.#tell({ kind: "held", held: { ...held, pausedMs: performance.now() - fromMs } });
    } catch (error) {
      this.#tell({ kind: "not-held", error: postError(error) });
    }
  }
}
