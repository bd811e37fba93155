/**
 * The interpreter: a WebAssembly module generated from the instruction table. Its `run(hart)` executes guest code until
 * the budget ends or a call-out signals; at every jump target it enters a translated region if there is one.
 */
import { type FieldName, type Fields, fieldNames, type Instruction, instructions } from "@bulkhead/isa";
import { RuntimeImports } from "../codegen/runtime-functions.ts";
import { HART } from "../codegen/wasm-operations.ts";
import {
  COMPRESSED_ENTRIES,
  DECODE_CACHE,
  DecodeEntry,
  HartState,
  JUMP_ENTRIES,
  JumpEntry,
  TLB_ENTRIES,
  TLB_ENTRY_BYTES,
  TlbEntry,
  WORD_ENTRIES,
} from "../hart/layout.ts";
import { type Label, Memory, ModuleBuilder, type ModuleFunction, Op, ValueType } from "../wasm/index.ts";
import { type EntryField, FieldOperations, type LoopFrame } from "./field-operations.ts";

const { i32, i64 } = ValueType;
const fields = Object.fromEntries(fieldNames.map((name) => [name, name])) as Record<FieldName, EntryField>;

/** Multiplier of the decode cache's hash: 2^32 divided by the golden ratio. */
const HASH = 0x9e3779b1 | 0;

/** Handlers by dispatch index: 0 is an empty decode-cache entry, then every instruction, then illegal words. */
export const FIRST_HANDLER = 1;
export const ILLEGAL_HANDLER = FIRST_HANDLER + instructions.length;

const illegal: Pick<Instruction, "semantics"> = {
  semantics: (o) => o.system("illegal", o.constant(0n), o.constant(0n)),
};

/**
 * The module's bytes. It imports `env.memory`, `env.regions` (the table of translated regions), the call-outs,
 * `dispatch.decode(word, entry)` which fills a decode-cache entry, and `dispatch.miss(offset, entry)` for a jump target
 * whose jump-cache entry is another's or that was met more than `threshold` times. A positive `region` in an entry is an
 * index in the table, any other counts down.
 */
export function interpreterModule(threshold: number): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory("env", "memory", 1);
  module.importTable("env", "regions");
  const imports = new RuntimeImports(module);
  const decode = module.importFunction("dispatch", "decode", [i32, i32], []);
  const miss = module.importFunction("dispatch", "miss", [i32, i32], []);
  const fetch = imports.callout("fetch");
  const run = module.function([i32], [], "run");
  const regionType = module.type([i32], []);
  emitRun(run, imports, { decode, miss, fetch, regionType }, threshold);
  return module.finish();
}

interface Calls {
  readonly decode: number;
  readonly miss: number;
  readonly fetch: number;
  readonly regionType: number;
}

function emitRun(b: ModuleFunction, imports: RuntimeImports, calls: Calls, threshold: number): void {
  const pc = b.local(i64);
  const budget = b.local(i32);
  const entry = b.local(i32);
  const word = b.local(i32);
  const host = b.local(i32);
  /** Virtual page that instructions come from, and what turns its addresses into offsets in the memory. */
  const page = b.local(i64);
  const addend = b.local(i32);

  const entered = { pc, word, host, page, addend, budget };
  b.get(HART).memory(Memory.i64_load, HartState.pc).set(pc);
  b.get(HART).memory(Memory.i32_load, HartState.budget).set(budget);
  b.i64(-1n).set(page);
  const leaveJumped = b.block();
  const leave = b.block();
  const jumped = b.loop();
  emitDispatch(b, { ...entered, leave, leaveJumped, jumped }, calls, threshold);
  const again = b.loop();
  const next = b.block();
  const frame: LoopFrame = { pc, budget, entry, next, jumped, leave, leaveJumped };
  emitFetch(b, { ...entered, leave }, calls.fetch);
  emitDecode(b, { word, entry }, calls.decode);
  b.get(budget).i32(1).op(Op.i32_sub).set(budget);
  emitHandlers(b, imports, frame);
  b.end();
  b.get(HART).i64(0n).memory(Memory.i64_store, HartState.x);
  b.get(pc).get(entry).memory(Memory.i64_load16_u, DecodeEntry.length).op(Op.i64_add).set(pc);
  b.br(again).end().end().end();
  b.get(HART).get(pc).memory(Memory.i64_store, HartState.pc);
  b.end();
  b.get(HART).i64(0n).memory(Memory.i64_store, HartState.x);
  b.get(HART).get(budget).memory(Memory.i32_store, HartState.budget);
}

/** Locals and labels of the fetch. */
interface FetchFrame {
  readonly pc: number;
  readonly word: number;
  /** Offset in the memory of the instruction at `pc`. */
  readonly host: number;
  readonly page: number;
  readonly addend: number;
  readonly leave: Label;
}

interface DispatchFrame extends FetchFrame {
  readonly budget: number;
  readonly leaveJumped: Label;
  readonly jumped: Label;
}

/** At a jump target: ends with the budget, enters a region, or counts the target and goes on to interpret it. */
function emitDispatch(b: ModuleFunction, frame: DispatchFrame, calls: Calls, threshold: number): void {
  const { pc, host, page, budget, leave, leaveJumped, jumped } = frame;
  const [jump, region] = [b.local(i32), b.local(i32)];
  b.get(HART).i64(0n).memory(Memory.i64_store, HartState.x);
  b.get(budget).i32(0).op(Op.i32_lt_s).brIf(leave);
  emitLocate(b, frame, calls.fetch);
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
  b.get(HART).get(pc).memory(Memory.i64_store, HartState.pc);
  b.get(HART).get(budget).memory(Memory.i32_store, HartState.budget);
  b.get(HART).get(region).callIndirect(calls.regionType);
  b.get(HART).memory(Memory.i32_load, HartState.budget).set(budget);
  b.get(HART).memory(Memory.i64_load, HartState.pc).set(pc);
  b.get(HART).memory(Memory.i32_load, HartState.signal).brIf(leaveJumped);
  b.br(jumped).end();
}

/** Finds the instruction at pc in the memory, or leaves with a fault. */
function emitLocate(b: ModuleFunction, { pc, host, page, addend, leave }: FetchFrame, fetch: number): void {
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

/** Loads the instruction word at pc; a compressed one keeps only its low half. */
function emitFetch(b: ModuleFunction, frame: FetchFrame, fetch: number): void {
  const { pc, word, host, leave } = frame;
  const upper = b.local(i64);
  emitLocate(b, frame, fetch);
  b.get(host).memory(Memory.i32_load16_u).tee(word).i32(3).op(Op.i32_and).i32(3).op(Op.i32_eq).if();
  b.get(pc).i64(4095n).op(Op.i64_and).i64(4094n).op(Op.i64_eq).if();
  // The upper half is on the next page.
  b.get(HART).get(pc).memory(Memory.i64_store, HartState.pc);
  b.get(pc).i64(2n).op(Op.i64_add).set(upper);
  emitTranslate(b, upper, host, fetch, leave);
  b.get(word).get(host).memory(Memory.i32_load16_u).i32(16).op(Op.i32_shl).op(Op.i32_or).set(word);
  b.else();
  b.get(host).memory(Memory.i32_load).set(word);
  b.end();
  b.end();
}

/** Offset in the memory of the instruction bytes at a virtual address, through the TLB where it hits. */
function emitTranslate(b: ModuleFunction, address: number, host: number, fetch: number, leave: Label): void {
  const slot = emitTlbHit(b, address);
  b.if(i32);
  b.get(address).op(Op.i32_wrap_i64).get(slot).memory(Memory.i32_load, TlbEntry.addend).op(Op.i32_add);
  b.else();
  b.get(HART).get(address).call(fetch);
  b.end();
  b.tee(host).op(Op.i32_eqz).brIf(leave);
}

/** Leaves on the stack whether the TLB has an execute entry for the page; gives the local with the entry's offset. */
function emitTlbHit(b: ModuleFunction, address: number): number {
  const slot = b.local(i32);
  b.get(address)
    .i64(BigInt(12 - Math.log2(TLB_ENTRY_BYTES)))
    .op(Op.i64_shr_u)
    .op(Op.i32_wrap_i64);
  b.i32((TLB_ENTRIES - 1) * TLB_ENTRY_BYTES).op(Op.i32_and);
  b.get(HART).memory(Memory.i32_load, HartState.fetchTlb).op(Op.i32_add).tee(slot);
  b.memory(Memory.i64_load, TlbEntry.execute).get(address).i64(-4096n).op(Op.i64_and).op(Op.i64_eq);
  return slot;
}

/** Finds the decode-cache entry of the instruction word, and fills it if it holds another word's. */
function emitDecode(b: ModuleFunction, { word, entry }: { word: number; entry: number }, decode: number): void {
  b.get(word).i32(3).op(Op.i32_and).i32(3).op(Op.i32_eq).if(i32);
  b.get(word)
    .i32(HASH)
    .op(Op.i32_mul)
    .i32(32 - Math.log2(WORD_ENTRIES))
    .op(Op.i32_shr_u);
  b.i32(COMPRESSED_ENTRIES).op(Op.i32_add).else().get(word).end();
  b.i32(DecodeEntry.bytes).op(Op.i32_mul).i32(DECODE_CACHE).op(Op.i32_add).tee(entry);
  b.memory(Memory.i32_load, DecodeEntry.word).get(word).op(Op.i32_ne);
  b.get(entry).memory(Memory.i32_load, DecodeEntry.handler).op(Op.i32_eqz).op(Op.i32_or).if();
  b.get(word).get(entry).call(decode).end();
}

/** One block per instruction, entered through a branch table. */
function emitHandlers(b: ModuleFunction, imports: RuntimeImports, frame: LoopFrame): void {
  const handlers = [...instructions, illegal];
  const labels = handlers.map(() => b.block());
  b.get(frame.entry).memory(Memory.i32_load, DecodeEntry.handler).i32(FIRST_HANDLER).op(Op.i32_sub);
  const order = labels.toReversed();
  b.brTable(order.slice(0, -1), order.at(-1)!);
  for (const handler of handlers) {
    b.end();
    new FieldOperations(b, imports, frame).instruction(handler, fields as Fields<EntryField>);
    b.br(frame.next);
  }
}
