/** Everything that has to agree with QEMU. */
import type { Executor } from "./executor.ts";
import { oracle } from "./oracle.ts";
import { flat, paged } from "./processor.ts";

export const executors: readonly Executor[] = [
  oracle,
  flat("interpreter"),
  flat("mixed"),
  flat("jit"),
  paged("interpreter"),
  paged("jit"),
];
