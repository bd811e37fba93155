/** A snippet to the WebAssembly module that the JIT makes of it: the region as it is at first, and as it is when it is hot. */
import { assemble } from "@bulkhead/isa";
import { REACH } from "../../packages/machine/src/jit/code-window.ts";
import { RegionCompiler } from "../../packages/machine/src/jit/region-compiler.ts";
import { PAGE_SIZE } from "../../packages/machine/src/memory.ts";
import type { Snippet } from "./snippets.ts";

/** Where the snippet's page lies in memory. */
const HOME = 0x1_0000;

/** Names of the module's functions, in their order. */
export const temperatures = ["cold", "hot"] as const;

/** The module's bytes. */
export function translate({ source, at = 0, harts = "one" }: Snippet): Uint8Array<ArrayBuffer> {
  const { bytes } = assemble(source);
  const memory = new Uint8Array(2 * HOME);
  memory.set(bytes, HOME + at);
  const places = Uint32Array.from({ length: 2 * REACH + 1 }, (_, page) =>
    page < REACH ? 0 : HOME + (page - REACH) * PAGE_SIZE,
  );
  const compiler = new RegionCompiler(memory, { harts, profile: false });
  const orders = temperatures.map((temperature, index) => {
    return { index: index + 1, places, entries: [at], wished: [], isHot: temperature === "hot" };
  });
  return compiler.assemble(orders).bytes;
}
