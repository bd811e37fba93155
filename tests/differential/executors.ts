/** Everything that has to agree with QEMU. */
import type { Executor } from "./executor.ts";
import { oracle } from "./oracle.ts";
import { flat, paged } from "./processor.ts";

/** @param seed of what tiers leave to chance. */
export const makeExecutors = (seed: number): readonly Executor[] => [
  oracle,
  flat("interpreter"),
  flat("mixed"),
  flat("jit"),
  flat("random", seed),
  paged("interpreter"),
  paged("jit"),
  paged("random", seed),
];
