/** Everything that has to agree with QEMU. */
import type { Executor } from "./executor.ts";
import { oracle } from "./oracle.ts";
import { onTier } from "./processor.ts";

export const executors: readonly Executor[] = [oracle, onTier("interpreter"), onTier("mixed"), onTier("jit")];
