/**
 * What is known of a jump target by where it lies in the wasm memory: its region, or how often it was met. Who calls it: the
 * inner loop, and the interpreter, which goes on by itself while there is no region.
 */
import { HART } from "../codegen/wasm-operations.ts";
import { HartState, JUMP_ENTRIES, JumpEntry, MEETING_BYTES } from "../hart/layout.ts";
import { type FunctionBuilder, type Label, Memory, Op, ValueType } from "../wasm/index.ts";

const { i32 } = ValueType;

/** How often a jump target is met before its region is asked for, below 65536. */
export type Threshold = number | "never";

/** Locals: where the target lies, and one for the address of what is known. */
export interface MeetingFrame {
  readonly host: number;
  readonly address: number;
}

/** Leaves the packed target that the jump cache knows on the stack, or 0. */
export function emitKnownTarget(b: FunctionBuilder, { host, address }: MeetingFrame): void {
  b.get(host)
    .i32(1)
    .op(Op.i32_shr_u)
    .i32(JUMP_ENTRIES - 1)
    .op(Op.i32_and)
    .i32(Math.log2(JumpEntry.bytes))
    .op(Op.i32_shl);
  b.get(HART).op(Op.i32_add).i32(HartState.jumps).op(Op.i32_add).tee(address);
  b.memory(Memory.i32_load, JumpEntry.region).i32(0);
  b.get(address).memory(Memory.i32_load, JumpEntry.offset).get(host).op(Op.i32_eq).op(Op.select);
}

/** Counts a meeting and goes to `cold` while there have been few: with `never` always. */
export function emitMeeting(b: FunctionBuilder, frame: MeetingFrame, cold: Label, threshold: Threshold): void {
  if (threshold === "never") {
    b.br(cold);
    return;
  }
  const { host, address } = frame;
  const count = b.local(i32);
  b.get(HART)
    .get(host)
    .i32(MEETING_BYTES - 1)
    .op(Op.i32_and)
    .op(Op.i32_add)
    .tee(address);
  b.memory(Memory.i32_load16_u, HartState.meetings).tee(count).i32(threshold).op(Op.i32_lt_u).if();
  b.get(address).get(count).i32(1).op(Op.i32_add).memory(Memory.i32_store16, HartState.meetings);
  b.br(cold).end();
}
