/**
 * The runtime module, whose WebAssembly functions the interpreter and every translated region import: what the hart's
 * call-outs mostly do, carry-less products, and atomics behind the TLB.
 */
import { type AtomicOperation, atomicOperations } from "@bulkhead/isa";
import { HartState, PAIR_LOCK, Signal, TlbTag } from "../hart/layout.ts";
import { EXECUTE, READ, WRITE } from "../hart/pmp.ts";
import { Atomic, type FunctionBuilder, Memory, ModuleBuilder, Op, ValueType } from "../wasm/index.ts";
import { emitCsr } from "./csr-access.ts";
import { emitFetch, emitLoad, emitPage, emitStore } from "./memory-access.ts";
import { emitPageWalk } from "./page-walk.ts";
import { emitSelect, emitSystem } from "./privilege.ts";
import { calloutSignatures, runtimeSignatures } from "./runtime-functions.ts";

const { i32, i64 } = ValueType;
const ILLEGAL_INSTRUCTION = 2;
/** First parameters of the functions below that touch memory. */
const [HART, ADDRESS] = [0, 1];

/** The module's bytes; it imports `env.memory` and the call-outs of the hart. */
export function runtimeModule(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory("env", "memory", 1);
  const callouts = Object.fromEntries(
    (Object.keys(calloutSignatures) as (keyof typeof calloutSignatures)[]).map((name) => {
      const { parameters, results } = calloutSignatures[name];
      return [name, module.importFunction("hart", name, parameters, results)];
    }),
  ) as Record<keyof typeof calloutSignatures, number>;

  const translate = (emit: (b: FunctionBuilder) => void): number => {
    const b = module.function([i32, i64], [i32]);
    emit(b);
    return b.index;
  };
  const [readWalk, writeWalk, executeWalk] = [READ, WRITE, EXECUTE].map((access) =>
    translate((b) => emitPageWalk(b, access)),
  ) as [number, number, number];
  const readPage = translate((b) => emitPage(b, TlbTag.read, readWalk));
  const writePage = translate((b) => emitPage(b, TlbTag.write, writeWalk));
  const select = module.function([i32, i32, i32], [i32]);
  emitSelect(select);

  const replace = (name: keyof typeof calloutSignatures) =>
    module.function(calloutSignatures[name].parameters, calloutSignatures[name].results, name);
  emitLoad(replace("load"), readWalk, readPage, callouts.load);
  emitStore(replace("store"), writeWalk, writePage, callouts.store);
  emitFetch(replace("fetch"), executeWalk, callouts.fetch);
  emitCsr(replace("csr"), select.index, callouts.csr);
  emitSystem(replace("system"), { select: select.index, writePage, callout: callouts.system });

  const define = (name: string) =>
    module.function(runtimeSignatures[name]!.parameters, runtimeSignatures[name]!.results, name);
  carrylessMul(define("carrylessMul"), "low");
  carrylessMul(define("carrylessMulHigh"), "high");
  const address = replace("atomicAddress");
  atomicAddress(address, { readPage, writePage, callout: callouts.atomicAddress });
  for (const bytes of [4, 8] as const) {
    const operand = new AtomicOperand(bytes, address.index);
    loadReserved(define(`loadReserved${bytes}`), operand);
    storeConditional(define(`storeConditional${bytes}`), operand);
    compareExchange(define(`compareExchange${bytes}`), operand);
    for (const operation of atomicOperations) readModifyWrite(define(`${operation}${bytes}`), operation, operand);
  }
  compareExchangePair(define("compareExchangePair"), address.index);
  return module.finish();
}

/** Carry-less product, bit by bit of the second factor. */
function carrylessMul(b: FunctionBuilder, half: "low" | "high"): void {
  const [x, y] = [0, 1];
  const [product, bit] = [b.local(i64), b.local(i64)];
  const done = b.block();
  const next = b.loop();
  b.get(y).op(Op.i64_eqz).brIf(done);
  b.get(y).op(Op.i64_ctz).set(bit);
  b.get(product).get(x).get(bit);
  // The high half of x << bit is x >> (64 - bit); split in two so that bit = 0 gives 0.
  if (half === "low") b.op(Op.i64_shl);
  else b.i64(63n).op(Op.i64_xor).op(Op.i64_shr_u).i64(1n).op(Op.i64_shr_u);
  b.op(Op.i64_xor).set(product);
  b.get(y).get(y).i64(1n).op(Op.i64_sub).op(Op.i64_and).set(y);
  b.br(next).end().end();
  b.get(product);
}

/** Offset in the memory of an aligned operand, through the TLB where it hits; 0 with an exception. */
function atomicAddress(b: FunctionBuilder, calls: { readPage: number; writePage: number; callout: number }): void {
  const [size, write] = [2, 3];
  const page = b.local(i32);
  const slow = b.block();
  b.get(ADDRESS).op(Op.i32_wrap_i64).i32(1).get(size).op(Op.i32_shl).i32(1).op(Op.i32_sub).op(Op.i32_and).brIf(slow);
  b.get(write).if(i32);
  b.get(HART).get(ADDRESS).call(calls.writePage).else();
  b.get(HART).get(ADDRESS).call(calls.readPage).end();
  b.tee(page).op(Op.i32_eqz).brIf(slow);
  b.get(ADDRESS).op(Op.i32_wrap_i64).i32(0xfff).op(Op.i32_and).get(page).op(Op.i32_add).return();
  b.end();
  b.get(HART).get(ADDRESS).get(size).get(write).call(calls.callout);
}

/** Accesses to an operand of 4 or 8 bytes, all with values of that width. */
class AtomicOperand {
  readonly bytes: 4 | 8;
  readonly type: ValueType;
  readonly #address: number;

  constructor(bytes: 4 | 8, address: number) {
    this.bytes = bytes;
    this.type = bytes === 4 ? i32 : i64;
    this.#address = address;
  }

  /** Leaves the operand's offset in a fresh local, or returns 0 from the function with an exception. */
  locate(b: FunctionBuilder, write: 0 | 1): number {
    const host = b.local(i32);
    b.get(HART).get(ADDRESS).i32(this.#log).i32(write).call(this.#address).tee(host);
    b.op(Op.i32_eqz).if();
    b.i64(0n).return();
    b.end();
    return host;
  }

  atomic(b: FunctionBuilder, name: "load" | "add" | "and" | "or" | "xor" | "xchg" | "cmpxchg"): void {
    b.atomic(this.bytes === 4 ? Atomic[`i32_${name}`] : Atomic[`i64_${name}`], this.#log);
  }

  op(b: FunctionBuilder, name: "eq" | "ne" | "lt_s" | "lt_u"): void {
    b.op(this.bytes === 4 ? Op[`i32_${name}`] : Op[`i64_${name}`]);
  }

  /** An i64 on the stack to the operand's width, and back with its sign. */
  narrow(b: FunctionBuilder): void {
    if (this.bytes === 4) b.op(Op.i32_wrap_i64);
  }

  widen(b: FunctionBuilder): void {
    if (this.bytes === 4) b.op(Op.i64_extend_i32_s);
  }

  get #log(): number {
    return this.bytes === 4 ? 2 : 3;
  }
}

function loadReserved(b: FunctionBuilder, operand: AtomicOperand): void {
  const value = b.local(i64);
  const host = operand.locate(b, 0);
  b.get(host);
  operand.atomic(b, "load");
  operand.widen(b);
  b.set(value);
  b.get(HART).get(ADDRESS).memory(Memory.i64_store, HartState.reservation);
  b.get(HART).get(value).memory(Memory.i64_store, HartState.reservationValue);
  b.get(value);
}

/** Stores if the reservation is this address's and memory still holds what was loaded. */
function storeConditional(b: FunctionBuilder, operand: AtomicOperand): void {
  const value = 2;
  const held = b.local(i32);
  const host = operand.locate(b, 1);
  b.get(HART).memory(Memory.i64_load, HartState.reservation).get(ADDRESS).op(Op.i64_eq).set(held);
  b.get(HART).i64(-1n).memory(Memory.i64_store, HartState.reservation);
  b.get(held).if(i64);
  b.get(host).get(HART).memory(Memory.i64_load, HartState.reservationValue);
  operand.narrow(b);
  b.get(value);
  operand.narrow(b);
  operand.atomic(b, "cmpxchg");
  b.get(HART).memory(Memory.i64_load, HartState.reservationValue);
  operand.narrow(b);
  operand.op(b, "ne");
  b.op(Op.i64_extend_i32_u);
  b.else().i64(1n).end();
}

function compareExchange(b: FunctionBuilder, operand: AtomicOperand): void {
  const [expected, desired] = [2, 3];
  const host = operand.locate(b, 1);
  b.get(host).get(expected);
  operand.narrow(b);
  b.get(desired);
  operand.narrow(b);
  operand.atomic(b, "cmpxchg");
  operand.widen(b);
}

const direct = { swap: "xchg", add: "add", and: "and", or: "or", xor: "xor" } as const;
const comparison = { min: "lt_s", max: "lt_s", minu: "lt_u", maxu: "lt_u" } as const;

/** Atomic read-modify-write; minimum and maximum, which WebAssembly lacks, by compare-exchange until it succeeds. */
function readModifyWrite(b: FunctionBuilder, operation: AtomicOperation, operand: AtomicOperand): void {
  const value = 2;
  const host = operand.locate(b, 1);
  if (operation in direct) {
    b.get(host).get(value);
    operand.narrow(b);
    operand.atomic(b, direct[operation as keyof typeof direct]);
    operand.widen(b);
    return;
  }
  const [old, given] = [b.local(operand.type), b.local(operand.type)];
  b.get(value);
  operand.narrow(b);
  b.set(given);
  const retry = b.loop();
  b.get(host);
  operand.atomic(b, "load");
  b.set(old);
  b.get(host).get(old);
  const [first, second] = operation.startsWith("min") ? [old, given] : [given, old];
  b.get(first).get(second).get(old).get(given);
  operand.op(b, comparison[operation as keyof typeof comparison]);
  b.op(Op.select);
  operand.atomic(b, "cmpxchg");
  b.get(old);
  operand.op(b, "ne");
  b.brIf(retry).end();
  b.get(old);
  operand.widen(b);
}

/** AMOCAS.Q on the register pairs in the hart's state. The 16 bytes are not one access, so that the harts take turns at a lock. */
function compareExchangePair(b: FunctionBuilder, address: number): void {
  const [rd, rs2] = [2, 3];
  const [host, low, high] = [b.local(i32), b.local(i64), b.local(i64)];
  const register = (field: number): FunctionBuilder => b.get(HART).get(field).i32(3).op(Op.i32_shl).op(Op.i32_add);
  /** Upper register of a pair; the pair of `x0` is 0, so its upper half reads `x0` too. */
  const upper = (field: number): FunctionBuilder => {
    b.get(HART).get(field).get(field).i32(0).op(Op.i32_ne).op(Op.i32_or);
    return b.i32(3).op(Op.i32_shl).op(Op.i32_add);
  };
  b.get(rd).get(rs2).op(Op.i32_or).i32(1).op(Op.i32_and).if();
  b.get(HART).i32(ILLEGAL_INSTRUCTION).memory(Memory.i32_store, HartState.cause);
  b.get(HART).i32(Signal.exception).memory(Memory.i32_store, HartState.signal).return();
  b.end();
  b.get(HART).get(ADDRESS).i32(4).i32(1).call(address).tee(host).op(Op.i32_eqz).if();
  b.return().end();
  const busy = b.loop();
  b.i32(PAIR_LOCK).i32(0).i32(1).atomic(Atomic.i32_cmpxchg, 2).brIf(busy).end();
  b.get(host).memory(Memory.i64_load, 0).set(low).get(host).memory(Memory.i64_load, 8).set(high);
  register(rd).memory(Memory.i64_load, HartState.x).get(low).op(Op.i64_eq);
  upper(rd).memory(Memory.i64_load, HartState.x).get(high).op(Op.i64_eq).op(Op.i32_and).if();
  b.get(host);
  register(rs2).memory(Memory.i64_load, HartState.x).memory(Memory.i64_store, 0);
  b.get(host);
  upper(rs2).memory(Memory.i64_load, HartState.x).memory(Memory.i64_store, 8);
  b.end();
  b.i32(PAIR_LOCK).i32(0).atomic(Atomic.i32_store, 2);
  b.get(rd).if();
  register(rd).get(low).memory(Memory.i64_store, HartState.x);
  upper(rd).get(high).memory(Memory.i64_store, HartState.x);
  b.end();
}
