/**
 * Call-outs that say what they do while they run: a WebAssembly module between generated code and what it calls. Who
 * calls it: the processor, while a profile is taken.
 */
import { calloutSignatures } from "../codegen/runtime-functions.ts";
import { HART } from "../codegen/wasm-operations.ts";
import { HartState } from "../hart/layout.ts";
import { Memory, ModuleBuilder, ValueType } from "../wasm/index.ts";
import { Activity } from "./activity.ts";

type Callout = keyof typeof calloutSignatures;

const activities: Readonly<Record<Callout, Activity>> = {
  load: Activity.refill,
  store: Activity.refill,
  atomicAddress: Activity.refill,
  fetch: Activity.refill,
  csr: Activity.exit,
  system: Activity.exit,
};

/** The module's bytes: it imports every call-out from `callouts` and exports it under the same name. */
function calloutModule(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory("env", "memory", 1);
  const names = Object.keys(activities) as Callout[];
  const imported = names.map((name) => {
    const { parameters, results } = calloutSignatures[name];
    return module.importFunction("callouts", name, parameters, results);
  });
  for (const [i, name] of names.entries()) {
    const { parameters, results } = calloutSignatures[name];
    const b = module.function(parameters, results, name);
    const before = b.local(ValueType.i32);
    b.get(HART).memory(Memory.i32_load, HartState.activity).set(before);
    b.get(HART).i32(activities[name]).memory(Memory.i32_store, HartState.activity);
    for (const parameter of parameters.keys()) b.get(parameter);
    b.call(imported[i]);
    b.get(HART).get(before).memory(Memory.i32_store, HartState.activity);
  }
  return module.finish();
}

/** The same call-outs, with the activity of the hart kept while they run. */
export function profiledCallouts(
  memory: WebAssembly.Memory,
  callouts: WebAssembly.ModuleImports,
): WebAssembly.ModuleImports {
  const module = new WebAssembly.Module(calloutModule());
  const { exports } = new WebAssembly.Instance(module, { env: { memory }, callouts });
  return exports as WebAssembly.ModuleImports;
}
