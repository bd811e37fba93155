/**
 * The inner loop of a hart: from one jump target to the next, by the region translated for it or by the interpreter. It is
 * a function of its own, apart from the interpreter, because V8 optimises a small function sooner and better.
 */
import { HART } from "../codegen/wasm-operations.ts";
import { HartState, JUMP_ENTRIES, JumpEntry } from "../hart/layout.ts";
import { type FunctionBuilder, Memory, Op, ValueType } from "../wasm/index.ts";
import { emitLocate } from "./fetch.ts";

const { i32, i64 } = ValueType;

/** Indices that the loop calls: functions, and the type of a region. */
export interface RunCalls {
  readonly interpret: number;
  readonly miss: number;
  readonly fetch: number;
  readonly regionType: number;
}

/**
 * Writes `run(hart)`: leaves with the budget or a signal, with the pc stored.
 * @param threshold how often a jump target is met before `miss` is asked for its region.
 */
export function emitRun(b: FunctionBuilder, calls: RunCalls, threshold: number): void {
  const pc = b.local(i64);
  const host = b.local(i32);
  const page = b.local(i64);
  const addend = b.local(i32);
  const [jump, region] = [b.local(i32), b.local(i32)];

  b.i64(-1n).set(page);
  const leave = b.block();
  const next = b.loop();
  b.get(HART).memory(Memory.i32_load, HartState.budget).i32(0).op(Op.i32_lt_s).brIf(leave);
  b.get(HART).memory(Memory.i64_load, HartState.pc).set(pc);
  emitLocate(b, { pc, host, page, addend, leave }, calls.fetch);
  b.get(host)
    .i32(1)
    .op(Op.i32_shr_u)
    .i32(JUMP_ENTRIES - 1)
    .op(Op.i32_and)
    .i32(Math.log2(JumpEntry.bytes))
    .op(Op.i32_shl);
  b.get(HART).op(Op.i32_add).i32(HartState.jumps).op(Op.i32_add).set(jump);
  const whenKnown = () => {
    b.get(jump).memory(Memory.i32_load, JumpEntry.offset).get(host).op(Op.i32_eq).if();
    b.get(jump).memory(Memory.i32_load, JumpEntry.region).tee(region).i32(0).op(Op.i32_gt_s).brIf(translated);
  };
  const cold = b.block();
  // Regions assume that the whole page may be executed.
  b.get(page).i64(-1n).op(Op.i64_eq).brIf(cold);
  const translated = b.block();
  whenKnown();
  b.get(jump).get(region).i32(1).op(Op.i32_sub).memory(Memory.i32_store, JumpEntry.region);
  b.get(region).i32(-threshold).op(Op.i32_gt_s).brIf(cold);
  b.end();
  b.get(host).get(jump).call(calls.miss);
  whenKnown();
  b.end();
  b.br(cold).end();
  b.get(HART).get(region).callIndirect(calls.regionType);
  b.get(HART).memory(Memory.i32_load, HartState.signal).brIf(leave);
  b.br(next).end();
  b.get(HART).get(page).get(addend).call(calls.interpret).brIf(leave);
  b.br(next).end().end();
}
