import { evaluateFloat, floatOperationNames } from "@bulkhead/isa";
import type { GuestMemory } from "./memory.ts";
import { HartState } from "./hart/layout.ts";
export function floatInstance(memory: GuestMemory): WebAssembly.ModuleImports {
  return Object.fromEntries(floatOperationNames.map((name) => [name, (hart: number, rm: number, a: bigint, b = 0n, c = 0n) => {
    const mode = rm === 7 ? memory.view.getInt32(hart + HartState.frm, true) : rm;
    if (mode > 4) { memory.view.setInt32(hart + HartState.signal, 1, true); memory.view.setInt32(hart + HartState.cause, 2, true); return 0n; }
    const r = evaluateFloat(name, mode as 0, BigInt.asUintN(64, a), BigInt.asUintN(64, b), BigInt.asUintN(64, c));
    memory.view.setInt32(hart + HartState.fflags, memory.view.getInt32(hart + HartState.fflags, true) | r.flags, true);
    memory.view.setInt32(hart + HartState.floatDirty, 1, true);
    return r.value;
  }])) as WebAssembly.ModuleImports;
}
