/**
 * Gives memory of this thread back to the host when there will be little to do for a while: what V8 does not use any more, and what
 * the C library keeps of what was freed. Who calls it: the threads of a partition whose guest has become idle.
 */
import { collectGarbage } from "../v8-flags-node.ts";
import { hostFunction } from "./host-library-node.ts";

const trimHeap = hostFunction("malloc_trim", { arguments: ["uint64"], return: "int32" });

/** Takes tens of milliseconds. */
export function giveBack(): void {
  collectGarbage();
  trimHeap?.(0n);
}
