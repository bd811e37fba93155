/** The runtime module over a hart, as generated code calls it. Who calls it: tests. */
import { hartsOf } from "../../codegen/runtime-functions.ts";
import { runtimeModule } from "../../codegen/runtime-module.ts";
import type { HartCallouts } from "../callouts.ts";
import type { Hart } from "../hart.ts";
import { hartBase } from "../layout.ts";

let module: WebAssembly.Module | undefined;

export interface HartRuntime extends HartCallouts {
  /** Takes the trap for the exception that was recorded: 1, or 0 if the hart has to. */
  takeException(): number;
  /** Call-outs that the runtime left to the hart since it was made, by name. */
  readonly leftToHart: Record<keyof HartCallouts, number>;
}

/** @param hart its index chooses the area in its memory. */
export function runtimeOf(hart: Hart): HartRuntime {
  module ??= new WebAssembly.Module(runtimeModule(hartsOf(hart.memory)));
  const leftToHart = { load: 0, store: 0, atomicAddress: 0, fetch: 0, csr: 0, system: 0 };
  const callouts = Object.fromEntries(
    (Object.keys(leftToHart) as (keyof HartCallouts)[]).map((name) => [
      name,
      (_base: number, ...operands: never[]) => {
        leftToHart[name]++;
        return (hart[name] as (...operands: never[]) => unknown).call(hart, ...operands);
      },
    ]),
  );
  const { exports } = new WebAssembly.Instance(module, { env: { memory: hart.memory.wasm }, hart: callouts });
  const base = hartBase(hart.index);
  const bound = Object.fromEntries(
    Object.entries(exports).map(([name, run]) => [
      name,
      (...operands: unknown[]) => (run as (...operands: unknown[]) => unknown)(base, ...operands),
    ]),
  );
  return { ...(bound as unknown as HartCallouts & Pick<HartRuntime, "takeException">), leftToHart };
}
