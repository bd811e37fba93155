/** Tiers that switch at random, repeatable by a seed: what any order of translating, dropping and interpreting must not change. */
import { type Harts, hartsOf } from "../codegen/runtime-functions.ts";
import { LocalService } from "../jit/local-service.ts";
import { RegionCompiler } from "../jit/region-compiler.ts";
import type { CompiledRegions, RegionService } from "../jit/region-order.ts";
import type { TargetChoice, TargetChooser } from "../jit/target-choice.ts";
import type { GuestMemory } from "../memory.ts";
import type { TranslatingOptions } from "../translating-processor.ts";
import type { Random } from "./random-node.ts";

/** How often each choice is made, in 64. */
const weights: readonly (readonly [TargetChoice, number])[] = [
  ["interpret", 26],
  ["translate", 18],
  ["optimise", 10],
  ["drop", 5],
  ["forget", 4],
  ["dropAll", 1],
];
const choices = weights.flatMap(([choice, weight]) => Array.from({ length: weight }, () => choice));

export const randomChooser =
  (random: Random): TargetChooser =>
  () =>
    random.pick(choices);

/** Everything that is left to chance, with a code cache that is full all the time and soon uses indices again. */
export const randomTiers = (memory: GuestMemory, random: Random): TranslatingOptions => ({
  threshold: randomChooser(random),
  service: new LateService(memory, random),
  limits: { regions: 40, retired: 3 },
});

/** Compiles at once, and lets its answers wait for a while: the guest goes on, and may change its code in the meantime. */
export class LateService implements RegionService {
  readonly #random: Random;
  readonly #service: LocalService;

  constructor(memory: GuestMemory, random: Random) {
    this.#random = random;
    const harts: Harts = hartsOf(memory);
    this.#service = new LocalService(new RegionCompiler(memory.bytes, { harts, profile: false }));
  }

  get waiting(): number {
    return this.#service.waiting;
  }

  post(...orders: Parameters<RegionService["post"]>): void {
    this.#service.post(...orders);
  }

  take(): CompiledRegions | undefined {
    return this.#random.below(4) === 0 ? undefined : this.#service.take();
  }

  trim(): void {}
}
