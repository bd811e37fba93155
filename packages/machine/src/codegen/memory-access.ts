/**
 * Accesses that the inline TLB probe does not settle, as WebAssembly: refill by a page walk, and page crossings. What the
 * walk leaves alone goes to the hart's call-outs. Who calls it: generated code, under the names of the call-outs.
 */
import { HartState, TlbTag } from "../hart/layout.ts";
import { type FunctionBuilder, Memory, Op, ValueType } from "../wasm/index.ts";
import { emitHostAddress, emitTagMatch, emitTlbEntry } from "./tlb-probe.ts";

const { i32 } = ValueType;
const [HART, ADDRESS, LOG_BYTES, VALUE] = [0, 1, 2, 3];
const PAGE_BYTES = 4096;
const PAGE_MASK = PAGE_BYTES - 1;

const loads = [Memory.i64_load8_u, Memory.i64_load16_u, Memory.i64_load32_u, Memory.i64_load];
const stores = [Memory.i64_store8, Memory.i64_store16, Memory.i64_store32, Memory.i64_store];

/**
 * Writes `page(hart, address)`: where the page of an address lies in the memory, by the TLB or else by `walk`; 0 where the
 * hart has to do it.
 */
export function emitPage(b: FunctionBuilder, tag: number, walk: number): void {
  const entry = b.local(i32);
  emitTlbEntry(b, ADDRESS, entry, () => b.get(HART).memory(Memory.i32_load, HartState.dataTlb));
  b.memory(Memory.i64_load, tag);
  emitTagMatch(b, ADDRESS);
  b.if(i32);
  emitHostAddress(b, ADDRESS, entry, tag);
  b.i32(-PAGE_BYTES).op(Op.i32_and).else();
  b.get(HART).get(ADDRESS).call(walk).end();
}

/** Leaves the offset of the address in its page. */
const offsetInPage = (b: FunctionBuilder): FunctionBuilder =>
  b.get(ADDRESS).op(Op.i32_wrap_i64).i32(PAGE_MASK).op(Op.i32_and);

/** Leaves how many of the access's bytes lie on the next page, at least 1 if it crosses. */
function emitBytesBeyond(b: FunctionBuilder): void {
  offsetInPage(b).i32(1).get(LOG_BYTES).op(Op.i32_shl).op(Op.i32_add).i32(PAGE_BYTES).op(Op.i32_sub);
}

/** Writes the pages of a crossing access to two locals, or goes on where the hart has to do it. */
function emitBothPages(
  b: FunctionBuilder,
  page: number,
  first: number,
  second: number,
  slow: ReturnType<typeof b.block>,
) {
  b.get(HART).get(ADDRESS).call(page).tee(first).op(Op.i32_eqz).brIf(slow);
  b.get(HART).get(ADDRESS).i64(BigInt(PAGE_MASK)).op(Op.i64_or).i64(1n).op(Op.i64_add).call(page);
  b.tee(second).op(Op.i32_eqz).brIf(slow);
}

/** Writes `load1` to `load8(hart, address)`: a whole access, for code that is to be short. @param load what to call on a miss. */
export function emitShortLoad(b: FunctionBuilder, log: number, load: number): void {
  const entry = b.local(i32);
  emitTlbEntry(b, ADDRESS, entry, () => b.get(HART).memory(Memory.i32_load, HartState.dataTlb));
  b.memory(Memory.i64_load, TlbTag.read);
  emitTagMatch(b, ADDRESS, 1 << log);
  b.hint("likely").if();
  emitHostAddress(b, ADDRESS, entry, TlbTag.read);
  b.memory(loads[log]!).return().end();
  b.get(HART).get(ADDRESS).i32(log).call(load);
}

/** Writes `store1` to `store8(hart, address, value)`. */
export function emitShortStore(b: FunctionBuilder, log: number, store: number): void {
  const [value, entry] = [2, b.local(i32)];
  emitTlbEntry(b, ADDRESS, entry, () => b.get(HART).memory(Memory.i32_load, HartState.dataTlb));
  b.memory(Memory.i64_load, TlbTag.write);
  emitTagMatch(b, ADDRESS, 1 << log);
  b.hint("likely").if();
  emitHostAddress(b, ADDRESS, entry, TlbTag.write);
  b.get(value).memory(stores[log]!).return().end();
  b.get(HART).get(ADDRESS).i32(log).get(value).call(store);
}

/** Writes `load(hart, address, logBytes)`, see `HartCallouts`. */
export function emitLoad(b: FunctionBuilder, page: number, callout: number): void {
  const [first, second, beyond] = [b.local(i32), b.local(i32), b.local(i32)];
  const slow = b.block();
  emitBytesBeyond(b);
  b.tee(beyond).i32(0).op(Op.i32_gt_s).if();
  emitBothPages(b, page, first, second, slow);
  // Eight bytes that end with the first page, and eight that begin the second one.
  b.get(first).memory(Memory.i64_load, PAGE_BYTES - 8);
  bits(b, () => b.get(beyond).i32(8).op(Op.i32_add).i32(1).get(LOG_BYTES).op(Op.i32_shl).op(Op.i32_sub));
  b.op(Op.i64_shr_u).get(second).memory(Memory.i64_load);
  bits(b, () => b.i32(1).get(LOG_BYTES).op(Op.i32_shl).get(beyond).op(Op.i32_sub));
  b.op(Op.i64_shl).op(Op.i64_or);
  b.i64(-1n);
  bits(b, () => b.i32(8).i32(1).get(LOG_BYTES).op(Op.i32_shl).op(Op.i32_sub));
  b.op(Op.i64_shr_u).op(Op.i64_and).return().end();
  b.get(HART).get(ADDRESS).call(page).tee(first).op(Op.i32_eqz).brIf(slow);
  b.get(first);
  offsetInPage(b).op(Op.i32_add).set(first);
  byWidth(b, (log) => b.get(first).memory(loads[log]!).return());
  b.end();
  b.get(HART).get(ADDRESS).get(LOG_BYTES).call(callout);
}

/** Leaves a number of bytes as an i64 number of bits. */
function bits(b: FunctionBuilder, emitBytes: () => void): void {
  emitBytes();
  b.i32(3).op(Op.i32_shl).op(Op.i64_extend_i32_u);
}

/** Writes `store(hart, address, logBytes, value)`, see `HartCallouts`. */
export function emitStore(b: FunctionBuilder, page: number, callout: number): void {
  const [first, second, at] = [b.local(i32), b.local(i32), b.local(i32)];
  const slow = b.block();
  emitBytesBeyond(b);
  b.i32(0).op(Op.i32_gt_s).if();
  emitBothPages(b, page, first, second, slow);
  offsetInPage(b).set(at);
  // Byte by byte: LOG_BYTES becomes how many are left.
  b.i32(1).get(LOG_BYTES).op(Op.i32_shl).set(LOG_BYTES);
  const next = b.loop();
  b.get(first).get(second).i32(PAGE_BYTES).op(Op.i32_sub).get(at).i32(PAGE_BYTES).op(Op.i32_lt_u).op(Op.select);
  b.get(at).op(Op.i32_add).get(VALUE).memory(Memory.i64_store8);
  b.get(VALUE).i64(8n).op(Op.i64_shr_u).set(VALUE);
  b.get(at).i32(1).op(Op.i32_add).set(at);
  b.get(LOG_BYTES).i32(1).op(Op.i32_sub).tee(LOG_BYTES).brIf(next);
  b.end().return().end();
  b.get(HART).get(ADDRESS).call(page).tee(first).op(Op.i32_eqz).brIf(slow);
  b.get(first);
  offsetInPage(b).op(Op.i32_add).set(first);
  byWidth(b, (log) => b.get(first).get(VALUE).memory(stores[log]!).return());
  b.end();
  b.get(HART).get(ADDRESS).get(LOG_BYTES).get(VALUE).call(callout);
}

/** Writes one case for each width, chosen by LOG_BYTES; each returns. */
function byWidth(b: FunctionBuilder, emitCase: (log: number) => void): void {
  const labels = loads.map(() => b.block());
  const order = labels.toReversed();
  b.get(LOG_BYTES).brTable(order.slice(0, -1), order.at(-1)!);
  for (const log of loads.keys()) {
    b.end();
    emitCase(log);
  }
}

/** Writes `fetch(hart, address)`, see `HartCallouts`. */
export function emitFetch(b: FunctionBuilder, walk: number, callout: number): void {
  const page = b.local(i32);
  b.get(HART).get(ADDRESS).call(walk).tee(page).if(i32);
  b.get(page);
  offsetInPage(b).op(Op.i32_add).else();
  b.get(HART).get(ADDRESS).call(callout).end();
}
