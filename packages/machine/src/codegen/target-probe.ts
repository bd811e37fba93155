/** The target cache as generated code uses it: from a virtual pc to the region that is entered there. */
import { HartState, TARGET_ENTRIES, TargetEntry } from "../hart/layout.ts";
import { type FunctionBuilder, type Label, Memory, Op, ValueType } from "../wasm/index.ts";
import { HART } from "./wasm-operations.ts";

/** Second parameter of a region: how many calls deep it may still go. */
export const DEPTH = 1;
/** Parameters and result of a region: hart, depth, number of the entry, pc; it gives the pc where it ended, see `Exit`. */
export const REGION_PARAMETERS = [ValueType.i32, ValueType.i32, ValueType.i32, ValueType.i64] as const;
export const REGION_RESULTS = [ValueType.i64] as const;

/**
 * Bit 0 of the pc that a region gives: set when all callers have to leave as well, because of a signal, the end of the
 * budget or the depth of calls. A pc itself is even.
 */
export const LEAVE = 1n;

/** A target in the cache: index in the table of regions, and number of the entry in the low bits. */
export const ENTRY_BITS = 8;
export const MAX_ENTRIES = 1 << ENTRY_BITS;
export const packTarget = (index: number, entry: number): number => (index << ENTRY_BITS) | entry;

const LOG_BYTES = Math.log2(TargetEntry.bytes);

/** Leaves the offset (less `HartState.targets`) of the cache entry for a pc, an i64 local, in the i32 local `entry` and on the stack. */
export function emitTargetEntry(b: FunctionBuilder, pc: number, entry: number): void {
  b.get(pc)
    .op(Op.i32_wrap_i64)
    .i32(LOG_BYTES - 1)
    .op(Op.i32_shl)
    .i32((TARGET_ENTRIES - 1) << LOG_BYTES)
    .op(Op.i32_and);
  b.get(HART).op(Op.i32_add).tee(entry);
}

/** Goes on only if the cache knows a pc; `entry` as in `emitTargetEntry`. */
export function emitTargetHit(b: FunctionBuilder, pc: number, entry: number, missed: Label): void {
  emitTargetEntry(b, pc, entry);
  b.memory(Memory.i64_load, HartState.targets + TargetEntry.tag)
    .get(pc)
    .op(Op.i64_ne);
  b.hint("unlikely").brIf(missed);
  b.get(entry).memory(Memory.i32_load, HartState.targets + TargetEntry.space);
  b.get(HART).memory(Memory.i32_load, HartState.fetchSpace).op(Op.i32_ne);
  b.hint("unlikely").brIf(missed);
}

/**
 * Leaves the operands of a call of a region on the stack, its index in the table last.
 * @param target local with the packed target. @param emitDepth leaves the depth that is left to the callee.
 */
export function emitRegionOperands(b: FunctionBuilder, target: number, pc: number, emitDepth: () => void): void {
  b.get(HART);
  emitDepth();
  b.get(target)
    .i32(MAX_ENTRIES - 1)
    .op(Op.i32_and)
    .get(pc);
  b.get(target).i32(ENTRY_BITS).op(Op.i32_shr_u);
}

/** Goes to the region at a pc in the place of this function, or gives the pc. The state is in memory; hart and depth are the first parameters. */
export function emitChain(b: FunctionBuilder, pc: number, regionType: number): void {
  const [entry, target] = [b.temporary(ValueType.i32), b.temporary(ValueType.i32)];
  b.get(HART).memory(Memory.i32_load, HartState.budget).i32(0).op(Op.i32_lt_s).hint("unlikely").if();
  b.get(pc).i64(LEAVE).op(Op.i64_or).return().end();
  const missed = b.block();
  emitTargetHit(b, pc, entry, missed);
  b.get(entry)
    .memory(Memory.i32_load, HartState.targets + TargetEntry.target)
    .set(target);
  emitRegionOperands(b, target, pc, () => b.get(DEPTH));
  b.returnCallIndirect(regionType);
  b.end();
  b.get(pc).return();
}
