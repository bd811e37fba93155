/** Parts of the interpreter that find an instruction: its place in the memory, its word, its decode-cache entry. */
import { emitHostAddress, emitTagMatch, emitTlbEntry } from "../codegen/tlb-probe.ts";
import { HART } from "../codegen/wasm-operations.ts";
import { DECODE_ENTRIES, DecodeEntry, HartState, TlbTag } from "../hart/layout.ts";
import { PAGE_SIZE } from "../memory.ts";
import { type FunctionBuilder, type Label, Memory, Op, ValueType } from "../wasm/index.ts";

const { i32, i64 } = ValueType;

/** Multiplier of the decode cache's hash: 2^32 divided by the golden ratio. */
const HASH = 0x9e3779b1 | 0;

/** Locals and labels of code that fetches. */
export interface FetchFrame {
  readonly pc: number;
  /** Offset in the memory of the instruction at `pc`. */
  readonly host: number;
  /** Virtual page that instructions come from, or -1, and what turns its addresses into offsets in the memory. */
  readonly page: number;
  readonly addend: number;
  /** Where to go with a fault. */
  readonly leave: Label;
}

/** Finds the instruction at pc in the memory, or leaves with a fault. */
export function emitLocate(b: FunctionBuilder, { pc, host, page, addend, leave }: FetchFrame, fetch: number): void {
  b.get(pc).i64(-4096n).op(Op.i64_and).get(page).op(Op.i64_eq).if();
  b.get(pc).op(Op.i32_wrap_i64).get(addend).op(Op.i32_add).set(host);
  b.else();
  b.get(HART).get(pc).memory(Memory.i64_store, HartState.pc);
  emitTranslate(b, pc, host, fetch, leave);
  // A page of which only a part may be executed has no entry: it is translated for each instruction.
  b.get(pc).i64(-4096n).op(Op.i64_and).i64(-1n);
  emitTlbHit(b, pc);
  b.op(Op.select).set(page);
  b.get(host).get(pc).op(Op.i32_wrap_i64).op(Op.i32_sub).set(addend);
  b.end();
}

/** Loads the instruction word at pc, which lies at `host`; a compressed one keeps only its low half. */
export function emitFetch(b: FunctionBuilder, frame: FetchFrame, word: number, fetch: number): void {
  const { pc, host, leave } = frame;
  const [upper, behind] = [b.local(i64), b.local(i32)];
  b.get(host)
    .i32(PAGE_SIZE - 1)
    .op(Op.i32_and)
    .i32(PAGE_SIZE - 2)
    .op(Op.i32_eq)
    .hint("unlikely")
    .if(i32);
  b.get(host).memory(Memory.i32_load16_u).tee(word).i32(3).op(Op.i32_and).i32(3).op(Op.i32_eq).if();
  // The upper half is on the next page.
  b.get(HART).get(pc).memory(Memory.i64_store, HartState.pc);
  b.get(pc).i64(2n).op(Op.i64_add).set(upper);
  emitTranslate(b, upper, behind, fetch, leave);
  b.get(word).get(behind).memory(Memory.i32_load16_u).i32(16).op(Op.i32_shl).op(Op.i32_or).set(word);
  b.end();
  b.get(word).else();
  b.get(host).memory(Memory.i32_load).end().tee(word);
  b.get(word).i32(0xffff).op(Op.i32_and);
  b.get(word).i32(3).op(Op.i32_and).i32(3).op(Op.i32_eq).op(Op.select).set(word);
}

/** Offset in the memory of the instruction bytes at a virtual address, through the TLB where it hits. */
function emitTranslate(b: FunctionBuilder, address: number, host: number, fetch: number, leave: Label): void {
  const slot = emitTlbHit(b, address);
  b.if(i32);
  emitHostAddress(b, address, slot, TlbTag.execute);
  b.else();
  b.get(HART).get(address).call(fetch);
  b.end();
  b.tee(host).op(Op.i32_eqz).brIf(leave);
}

/** Leaves on the stack whether the TLB has an execute entry for the page; gives the local with the entry's offset. */
function emitTlbHit(b: FunctionBuilder, address: number): number {
  const slot = b.local(i32);
  emitTlbEntry(b, address, slot, () => b.get(HART).memory(Memory.i32_load, HartState.fetchTlb));
  b.memory(Memory.i64_load, TlbTag.execute);
  emitTagMatch(b, address);
  return slot;
}

/** Finds the decode-cache entry of the instruction word, and fills it if it holds another word's. */
export function emitDecode(b: FunctionBuilder, { word, entry }: { word: number; entry: number }, decode: number): void {
  b.get(word)
    .i32(HASH)
    .op(Op.i32_mul)
    .i32(32 - Math.log2(DECODE_ENTRIES))
    .op(Op.i32_shr_u)
    .i32(Math.log2(DecodeEntry.bytes))
    .op(Op.i32_shl);
  b.get(HART).op(Op.i32_add).i32(HartState.decodeCache).op(Op.i32_add).tee(entry);
  // An empty entry has the word 0, which is illegal: its handler is as good as a decoded one's.
  b.memory(Memory.i32_load, DecodeEntry.word).get(word).op(Op.i32_ne).hint("unlikely").if();
  b.get(word).get(entry).call(decode).end();
}
