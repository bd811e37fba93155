/** What generated code writes for a profiler: what the hart does, and where. Nothing unless a profile is taken. */
import { HART } from "../codegen/wasm-operations.ts";
import { HartState } from "../hart/layout.ts";
import { type FunctionBuilder, Memory } from "../wasm/index.ts";
import type { Activity } from "./activity.ts";

/** Says what the hart does from now on. */
export function emitActivity(b: FunctionBuilder, activity: Activity): void {
  b.get(HART).i32(activity).memory(Memory.i32_store, HartState.activity);
}

/** Says where the hart is. @param emitPc leaves the pc on the stack. */
export function emitPlace(b: FunctionBuilder, emitPc: () => void): void {
  b.get(HART);
  emitPc();
  b.memory(Memory.i64_store, HartState.pc);
}
