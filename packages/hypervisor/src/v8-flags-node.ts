/**
 * The one place for flags of V8 that the execution of guests wants. Imported first by the partition's thread, before
 * anything is compiled to wasm. Flags are the process's, not the thread's.
 */
import { setFlagsFromString } from "node:v8";

/** Each flag with its reason; none is needed for correctness. */
const FLAGS: readonly string[] = [
  // Regions are compiled to their first tier by the thread that made them, not by the hart that calls them first.
  "--no-wasm-lazy-compilation",
];

for (const flag of FLAGS) setFlagsFromString(flag);
