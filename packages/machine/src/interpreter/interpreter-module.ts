/**
 * The interpreter: a WebAssembly module generated from the instruction table. Its `run(hart)` executes guest code until
 * the budget ends or a call-out signals; at every jump target it enters a translated region if there is one.
 */
import { type FieldName, type Fields, fieldNames, type Instruction, instructions } from "@bulkhead/isa";
import { RuntimeImports } from "../codegen/runtime-functions.ts";
import { HART } from "../codegen/wasm-operations.ts";
import { DecodeEntry, HartState } from "../hart/layout.ts";
import { PAGE_SIZE } from "../memory.ts";
import { type FunctionBuilder, Memory, ModuleBuilder, Op, ValueType } from "../wasm/index.ts";
import { emitDecode, emitFetch, emitLocate } from "./fetch.ts";
import { type EntryField, FieldOperations, type LoopFrame } from "./field-operations.ts";
import { emitKnownTarget, emitMeeting, type Threshold } from "./meeting.ts";
import { emitEntrances } from "./run.ts";

const { i32, i64 } = ValueType;
const fields = Object.fromEntries(fieldNames.map((name) => [name, name])) as Record<FieldName, EntryField>;

/** Handlers by dispatch index: 0 is an empty decode-cache entry, then every instruction, then illegal words. */
export const FIRST_HANDLER = 1;
export const ILLEGAL_HANDLER = FIRST_HANDLER + instructions.length;

/** Bytes of an instruction at most. */
const LONGEST = 4;

const illegal: Pick<Instruction, "semantics"> = {
  semantics: (o) => o.system("illegal", o.constant(0n), o.constant(0n)),
};

/**
 * The module's bytes. It imports `env.memory`, `env.regions` (the table of translated regions), the call-outs,
 * `dispatch.decode(word, entry)` which fills a decode-cache entry, and `dispatch.miss(hart, pc, offset)`, which gives the
 * packed target of a jump target that the jump cache does not know and that was met more than `threshold` times, or 0.
 * `dispatch.sample(region)` hears of regions that are entered often or run long.
 * @param profile whether the hart is to say what it does.
 */
export function interpreterModule(threshold: Threshold, profile = false): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory("env", "memory", 1);
  module.importTable("env", "regions");
  const imports = new RuntimeImports(module);
  const decode = module.importFunction("dispatch", "decode", [i32, i32], []);
  const miss = module.importFunction("dispatch", "miss", [i32, i64, i32], [i32]);
  const sample = module.importFunction("dispatch", "sample", [i32], []);
  const fetch = imports.callout("fetch");
  const takeException = imports.runtime("takeException");
  const interpret = module.function([i32, i64, i32, i64], [i32]);
  emitInterpret(interpret, imports, { decode, fetch }, threshold);
  emitEntrances(module, { interpret: interpret.index, miss, sample, fetch, takeException }, threshold, profile);
  return module.finish();
}

/**
 * Writes `interpret(hart, page, addend, until)`: executes from the pc on until a jump goes to `until` or to a target that has a
 * region or is to get one, and gives 0, or 1 if it has to be left. The first instruction is executed whatever it is.
 * `page` and `addend` say where the pc's page lies, as in `FetchFrame`.
 */
function emitInterpret(
  b: FunctionBuilder,
  imports: RuntimeImports,
  calls: { decode: number; fetch: number },
  threshold: Threshold,
): void {
  const [page, addend, until] = [1, 2, 3];
  const pc = b.local(i64);
  const budget = b.local(i32);
  const [host, word, entry] = [b.local(i32), b.local(i32), b.local(i32)];
  const [left, isTarget] = [b.local(i32), b.local(i32)];
  // Behind an instruction, the offset in its page below which another page has begun; above all of them where each has to be
  // looked for.
  const least = b.local(i32);

  b.get(HART).memory(Memory.i64_load, HartState.pc).set(pc);
  b.get(HART).memory(Memory.i32_load, HartState.budget).set(budget);
  const leaveJumped = b.block();
  const done = b.block();
  const leave = b.block();
  const locate = b.loop();
  emitLocate(b, { pc, host, page, addend, leave }, calls.fetch);
  b.i32(PAGE_SIZE).i32(LONGEST).get(page).i64(-1n).op(Op.i64_eq).op(Op.select).set(least);
  const cold = b.block();
  // Regions assume that the whole page may be executed.
  b.get(isTarget).op(Op.i32_eqz).get(page).i64(-1n).op(Op.i64_eq).op(Op.i32_or).brIf(cold);
  const meeting = { host, address: b.local(i32) };
  emitKnownTarget(b, meeting);
  b.brIf(done);
  emitMeeting(b, meeting, cold, threshold);
  b.br(done).end();
  b.i32(0).set(isTarget);

  const jumped = b.block();
  const again = b.loop();
  const next = b.block();
  const frame: LoopFrame = { pc, budget, entry, next, jumped, leave, leaveJumped };
  emitFetch(b, { pc, host, page, addend, leave }, word, calls.fetch);
  emitDecode(b, { word, entry }, calls.decode);
  b.get(budget).i32(1).op(Op.i32_sub).set(budget);
  emitHandlers(b, imports, frame);
  b.end();
  b.get(HART).i64(0n).memory(Memory.i64_store, HartState.x);
  b.get(pc).get(entry).memory(Memory.i64_load8_u, DecodeEntry.length).op(Op.i64_add).set(pc);
  b.get(host).get(entry).memory(Memory.i32_load8_u, DecodeEntry.length).op(Op.i32_add).tee(host);
  b.i32(PAGE_SIZE - 1)
    .op(Op.i32_and)
    .get(least)
    .op(Op.i32_ge_u)
    .brIf(again);
  b.br(locate).end().end();
  b.get(HART).i64(0n).memory(Memory.i64_store, HartState.x);
  b.get(budget).i32(0).op(Op.i32_lt_s).get(pc).get(until).op(Op.i64_eq).op(Op.i32_or).brIf(done);
  b.i32(1).set(isTarget).br(locate);
  b.end().end();

  b.i32(1).set(left).end();
  b.get(HART).get(pc).memory(Memory.i64_store, HartState.pc);
  b.get(HART).i64(0n).memory(Memory.i64_store, HartState.x);
  b.get(HART).get(budget).memory(Memory.i32_store, HartState.budget);
  b.get(left).return().end();
  b.get(HART).i64(0n).memory(Memory.i64_store, HartState.x);
  b.get(HART).get(budget).memory(Memory.i32_store, HartState.budget);
  b.i32(1);
}

/** One block per instruction, entered through a branch table. */
function emitHandlers(b: FunctionBuilder, imports: RuntimeImports, frame: LoopFrame): void {
  const handlers = [...instructions, illegal];
  const labels = handlers.map(() => b.block());
  b.get(frame.entry).memory(Memory.i32_load16_u, DecodeEntry.handler).i32(FIRST_HANDLER).op(Op.i32_sub);
  const order = labels.toReversed();
  b.brTable(order.slice(0, -1), order.at(-1)!);
  for (const handler of handlers) {
    b.end();
    new FieldOperations(b, imports, frame).instruction(handler, fields as Fields<EntryField>);
    b.br(frame.next);
  }
}
