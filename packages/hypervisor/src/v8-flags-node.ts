/**
 * The one place for flags of V8 that the execution of guests wants. Imported first by the partition's thread, before
 * anything is compiled to wasm. Flags are the process's, not the thread's.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Each flag with its reason; none is needed for correctness. */
const FLAGS: readonly string[] = [
  // Regions are compiled to their first tier by the thread that made them, not by the hart that calls them first.
  "--no-wasm-lazy-compilation",
  // An idle guest gives memory back, although its thread allocates nothing that would have V8 look for some.
  "--expose-gc",
];

for (const flag of FLAGS) setFlagsFromString(flag);

/** Frees what is not in use any more, code included. It takes tens of milliseconds. */
export const collectGarbage: () => void = runInNewContext("gc");
