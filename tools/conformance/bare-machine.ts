/**
 * The smallest machine that runs bare-metal programs: one hart that starts in M-mode, RAM, no devices. Its clock moves with
 * the instructions that it executes, so that every run is the same. Who calls it: conformance and differential tests.
 */
import { Bus } from "../../packages/machine/src/bus.ts";
import { Hart, HartState, hartBase, ManualClock, Signal } from "../../packages/machine/src/hart/index.ts";
import { GuestMemory } from "../../packages/machine/src/memory.ts";
import { Random } from "../../packages/machine/src/testing/random-node.ts";
import { randomTiers } from "../../packages/machine/src/testing/random-tiers-node.ts";
import { type TranslatingOptions, TranslatingProcessor } from "../../packages/machine/src/translating-processor.ts";

/** Instructions between two looks at timers and interrupts, and the ticks by which the clock moves there. */
const SLICE = 10_000;
const TICKS_PER_SLICE = 100;
/** Instructions of slices whose length is left to chance, on average. */
const RANDOM_SLICES = [10, 100, 1000, SLICE];

/** Ways of executing a program that must not differ in anything. */
export const tiers = {
  interpreter: () => ({ threshold: "never" }),
  jit: () => ({ threshold: 0 }),
  /** The interpreter hands over to the JIT in the midst of things. */
  mixed: () => ({ threshold: 3 }),
  /** Code is translated, optimised, dropped and interpreted as the dice fall. */
  random: randomTiers,
} as const satisfies Record<string, (memory: GuestMemory, random: Random) => TranslatingOptions>;
export type Tier = keyof typeof tiers;

export class BareMachine {
  readonly memory: GuestMemory;
  readonly hart: Hart;
  readonly #processor: TranslatingProcessor;
  readonly #clock = new ManualClock();
  readonly #budget: () => number;

  /** @param ramSize bytes, a multiple of 64 KiB. @param seed of what the tier leaves to chance. */
  constructor(ramSize: number, tier: Tier, seed = 1) {
    this.memory = new GuestMemory(ramSize, 1);
    this.hart = new Hart({ memory: this.memory, bus: new Bus(), clock: this.#clock, index: 0, start: "machine" });
    const random = new Random(seed);
    const isRandom = tier === "random";
    const processor = new TranslatingProcessor(this.memory, [this.hart], tiers[tier](this.memory, random));
    this.#budget = () => (isRandom ? random.below(2 * random.pick(RANDOM_SLICES)) : SLICE);
    this.#processor = processor;
    this.memory.onWrite = (address, length) => processor.written(address, length);
    this.hart.isCodePage = (page) => processor.isCodePage(page);
    this.hart.instructionFence = () => processor.codeChanged();
  }

  /**
   * Executes slices until `onStop` gives a value; it is asked behind every slice, with the cause of the exception that ended
   * it, if one did. An exception for which it gives none is delivered to the hart. Gives undefined after `slices`.
   */
  run<Result>(slices: number, onStop: (exception: number | undefined) => Result | undefined): Result | undefined {
    const { words } = this.hart;
    for (let slice = 0; slice < slices; slice++) {
      this.#clock.advance(TICKS_PER_SLICE);
      this.hart.updateTimer();
      this.hart.takeInterrupt();
      if (!this.hart.waiting) {
        this.hart.beginSlice(this.#budget());
        this.#processor.run(0);
      }
      const failed = this.hart.takeSignal() === Signal.exception;
      const result = onStop(failed ? words[HartState.cause / 4] : undefined);
      if (result !== undefined) return result;
      if (failed) this.hart.takeException();
    }
    return undefined;
  }

  /** Floating-point register, as its 64 bits. */
  getF(register: number): bigint {
    return this.memory.view.getBigUint64(hartBase(this.hart.index) + HartState.f + 8 * register, true);
  }
}
