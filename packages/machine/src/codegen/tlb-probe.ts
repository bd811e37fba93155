/** The fast path of an address translation, as the interpreter, translated regions and the runtime module all write it. */
import { TLB_ADDEND, TLB_ENTRIES, TLB_ENTRY_BYTES } from "../hart/layout.ts";
import { type FunctionBuilder, Memory, Op, ValueType } from "../wasm/index.ts";

const ENTRY_SHIFT = 12 - Math.log2(TLB_ENTRY_BYTES);
const INDEX_MASK = (TLB_ENTRIES - 1) * TLB_ENTRY_BYTES;

/**
 * Leaves the offset of the TLB entries for a virtual address (an i64 local), less `TlbTag`, on the stack and in the i32 local
 * `entry`.
 * @param emitBank leaves the offset of the TLB bank on the stack.
 */
export function emitTlbEntry(b: FunctionBuilder, address: number, entry: number, emitBank: () => void): void {
  b.get(address).op(Op.i32_wrap_i64).i32(ENTRY_SHIFT).op(Op.i32_shr_u).i32(INDEX_MASK).op(Op.i32_and);
  emitBank();
  b.op(Op.i32_add).tee(entry);
}

/** Compares the tag on the stack with the page of an address; one that is not a multiple of `bytes` never matches. */
export function emitTagMatch(b: FunctionBuilder, address: number, bytes = 1): void {
  b.get(address)
    .i64(-4096n | BigInt(bytes - 1))
    .op(Op.i64_and)
    .op(Op.i64_eq);
}

/** Leaves where an address lies in the wasm memory, by its TLB entry with a tag of `TlbTag`, on the stack. */
export function emitHostAddress(b: FunctionBuilder, address: number, entry: number, tag: number): void {
  b.get(address)
    .op(Op.i32_wrap_i64)
    .get(entry)
    .memory(Memory.i32_load, tag + TLB_ADDEND)
    .op(Op.i32_add);
}

/**
 * The same for loads that much waits for: the host goes on with what an i32 local says to add, which the next of the
 * same kind will mostly find there, while it has still to look into the entry.
 */
export function emitExpectedAddress(
  b: FunctionBuilder,
  address: number,
  entry: number,
  tag: number,
  expected: number,
): void {
  const addend = b.temporary(ValueType.i32);
  b.get(entry)
    .memory(Memory.i32_load, tag + TLB_ADDEND)
    .tee(addend)
    .get(expected)
    .op(Op.i32_ne)
    .hint("unlikely")
    .if();
  b.get(addend).set(expected).end();
  b.get(address).op(Op.i32_wrap_i64).get(expected).op(Op.i32_add);
}
