/**
 * Atomics behind the TLB as WebAssembly. A guest with one hart needs no atomic accesses: nobody else writes its RAM between
 * two instructions. @spec unprivileged "A" Extension, "Zacas". Who calls it: the runtime module.
 */
import { type AtomicOperation, atomicOperations } from "@bulkhead/isa";
import { HartState, PAIR_LOCK, Signal, TlbTag } from "../hart/layout.ts";
import { Atomic, type FunctionBuilder, Memory, Op, ValueType } from "../wasm/index.ts";
import type { Harts } from "./runtime-functions.ts";
import { emitHostAddress, emitTlbEntry } from "./tlb-probe.ts";

const { i32, i64 } = ValueType;
const ILLEGAL_INSTRUCTION = 2;
/** First parameters of the functions below. */
const [HART, ADDRESS] = [0, 1];

/** Writes the functions for operands of 4 and 8 bytes, and of 16. @param define begins a function of `runtimeSignatures`. */
export function emitAtomics(define: (name: string) => FunctionBuilder, address: number, harts: Harts): void {
  for (const bytes of [4, 8] as const) {
    const operand = new AtomicOperand(bytes, address, harts);
    loadReserved(define(`loadReserved${bytes}`), operand);
    storeConditional(define(`storeConditional${bytes}`), operand);
    compareExchange(define(`compareExchange${bytes}`), operand);
    for (const operation of atomicOperations) readModifyWrite(define(`${operation}${bytes}`), operation, operand);
  }
  compareExchangePair(define("compareExchangePair"), address);
}

/** Writes `atomicAddress(hart, address, logBytes, write)`, see `HartCallouts`: through the TLB where it hits. */
export function emitAtomicAddress(
  b: FunctionBuilder,
  calls: { readPage: number; writePage: number; callout: number },
): void {
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

const direct = { swap: "xchg", add: "add", and: "and", or: "or", xor: "xor" } as const;
const comparison = { min: "lt_s", max: "lt_s", minu: "lt_u", maxu: "lt_u" } as const;
type Direct = (typeof direct)[keyof typeof direct];

/** Accesses to an operand of 4 or 8 bytes, all with values of that width. */
class AtomicOperand {
  readonly bytes: 4 | 8;
  readonly type: ValueType;
  readonly #address: number;
  readonly #harts: Harts;

  constructor(bytes: 4 | 8, address: number, harts: Harts) {
    this.bytes = bytes;
    this.type = bytes === 4 ? i32 : i64;
    this.#address = address;
    this.#harts = harts;
  }

  /** Leaves the operand's offset in a fresh local, or returns 0 from the function with an exception. */
  locate(b: FunctionBuilder, write: 0 | 1): number {
    const [host, entry] = [b.local(i32), b.local(i32)];
    const tag = write === 0 ? TlbTag.read : TlbTag.write;
    emitTlbEntry(b, ADDRESS, entry, () => b.get(HART).memory(Memory.i32_load, HartState.dataTlb));
    // Tags end in zeros, so that a misaligned address matches none.
    b.memory(Memory.i64_load, tag)
      .get(ADDRESS)
      .i64(BigInt(-4096 | (this.bytes - 1)))
      .op(Op.i64_and)
      .op(Op.i64_eq)
      .hint("likely")
      .if();
    emitHostAddress(b, ADDRESS, entry, tag);
    b.set(host).else();
    b.get(HART).get(ADDRESS).i32(this.#log).i32(write).call(this.#address).tee(host);
    b.op(Op.i32_eqz).if();
    b.i64(0n).return();
    b.end().end();
    return host;
  }

  load(b: FunctionBuilder, host: number): void {
    b.get(host);
    if (this.#harts === "several") this.#atomic(b, "load");
    else b.memory(this.bytes === 4 ? Memory.i32_load : Memory.i64_load);
  }

  /** Replaces memory by its combination with a value of the operand's type, and leaves what it was. */
  combine(b: FunctionBuilder, host: number, operation: Direct, emitValue: () => void): void {
    if (this.#harts === "several") {
      b.get(host);
      emitValue();
      this.#atomic(b, operation);
      return;
    }
    const old = b.local(this.type);
    this.load(b, host);
    b.set(old).get(host);
    if (operation !== "xchg") b.get(old);
    emitValue();
    if (operation !== "xchg") b.op(this.bytes === 4 ? Op[`i32_${operation}`] : Op[`i64_${operation}`]);
    this.#store(b);
    b.get(old);
  }

  /** Replaces memory if it holds what is expected, and leaves what it was; both values have the operand's type. */
  exchangeIf(b: FunctionBuilder, host: number, emitExpected: () => void, emitDesired: () => void): void {
    if (this.#harts === "several") {
      b.get(host);
      emitExpected();
      emitDesired();
      this.#atomic(b, "cmpxchg");
      return;
    }
    const old = b.local(this.type);
    this.load(b, host);
    b.tee(old);
    emitExpected();
    this.op(b, "eq");
    b.if();
    b.get(host);
    emitDesired();
    this.#store(b);
    b.end().get(old);
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

  /** Leaves an i64 local in the operand's width. */
  get(b: FunctionBuilder, local: number): void {
    b.get(local);
    this.narrow(b);
  }

  #store(b: FunctionBuilder): void {
    b.memory(this.bytes === 4 ? Memory.i32_store : Memory.i64_store);
  }

  #atomic(b: FunctionBuilder, name: Direct | "load" | "cmpxchg"): void {
    b.atomic(this.bytes === 4 ? Atomic[`i32_${name}`] : Atomic[`i64_${name}`], this.#log);
  }

  get #log(): number {
    return this.bytes === 4 ? 2 : 3;
  }
}

function loadReserved(b: FunctionBuilder, operand: AtomicOperand): void {
  const value = b.local(i64);
  const host = operand.locate(b, 0);
  operand.load(b, host);
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
  const seen = (): void => {
    b.get(HART).memory(Memory.i64_load, HartState.reservationValue);
    operand.narrow(b);
  };
  b.get(HART).memory(Memory.i64_load, HartState.reservation).get(ADDRESS).op(Op.i64_eq).set(held);
  b.get(HART).i64(-1n).memory(Memory.i64_store, HartState.reservation);
  b.get(held).if(i64);
  operand.exchangeIf(b, host, seen, () => operand.get(b, value));
  seen();
  operand.op(b, "ne");
  b.op(Op.i64_extend_i32_u);
  b.else().i64(1n).end();
}

function compareExchange(b: FunctionBuilder, operand: AtomicOperand): void {
  const [expected, desired] = [2, 3];
  const host = operand.locate(b, 1);
  operand.exchangeIf(
    b,
    host,
    () => operand.get(b, expected),
    () => operand.get(b, desired),
  );
  operand.widen(b);
}

/** Atomic read-modify-write; minimum and maximum, which WebAssembly lacks, by compare-exchange until it succeeds. */
function readModifyWrite(b: FunctionBuilder, operation: AtomicOperation, operand: AtomicOperand): void {
  const value = 2;
  const host = operand.locate(b, 1);
  if (operation in direct) {
    operand.combine(b, host, direct[operation as keyof typeof direct], () => operand.get(b, value));
    operand.widen(b);
    return;
  }
  const [old, given] = [b.local(operand.type), b.local(operand.type)];
  operand.get(b, value);
  b.set(given);
  const retry = b.loop();
  operand.load(b, host);
  b.set(old);
  const [first, second] = operation.startsWith("min") ? [old, given] : [given, old];
  const chosen = (): void => {
    b.get(first).get(second).get(old).get(given);
    operand.op(b, comparison[operation as keyof typeof comparison]);
    b.op(Op.select);
  };
  operand.exchangeIf(b, host, () => b.get(old), chosen);
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
