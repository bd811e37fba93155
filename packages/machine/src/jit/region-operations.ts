/**
 * Instruction semantics for a translated region: guest registers are locals, operands are constants. Registers are
 * loaded where the region is entered and stored where it is left; every way out passes the one `leave` label.
 */
import type { Decoded } from "@bulkhead/isa";
import { Expression } from "../codegen/expression.ts";
import type { RuntimeImports } from "../codegen/runtime-functions.ts";
import { HART, WasmOperations } from "../codegen/wasm-operations.ts";
import { HartState, Signal } from "../hart/layout.ts";
import { type FunctionBuilder, type Label, Memory, Op, ValueType } from "../wasm/index.ts";

/** Locals that hold a register file while a region runs. */
class RegisterFile {
  readonly #b: FunctionBuilder;
  readonly #offset: number;
  readonly #locals = new Map<number, number>();
  readonly #written = new Set<number>();

  constructor(b: FunctionBuilder, offset: number) {
    this.#b = b;
    this.#offset = offset;
  }

  local(register: number): number {
    let local = this.#locals.get(register);
    if (local === undefined) {
      local = this.#b.local(ValueType.i64);
      this.#locals.set(register, local);
    }
    return local;
  }

  write(register: number): number {
    this.#written.add(register);
    return this.local(register);
  }

  emitLoads(b: FunctionBuilder): void {
    for (const [register, local] of this.#locals) {
      b.get(HART)
        .memory(Memory.i64_load, this.#offset + register * 8)
        .set(local);
    }
  }

  emitStores(b: FunctionBuilder): void {
    for (const register of this.#written) {
      b.get(HART)
        .get(this.local(register))
        .memory(Memory.i64_store, this.#offset + register * 8);
    }
  }
}

export class RegionOperations extends WasmOperations<number> {
  readonly #x: RegisterFile;
  readonly #f: RegisterFile;
  /** Virtual address of the page's start: regions are keyed by physical page and run wherever it is mapped. */
  readonly #page: number;
  readonly #pc: number;
  readonly #budget: number;
  readonly #tlb: number;
  readonly #leave: Label;
  #offset = 0;
  #length = 0;
  /** Instructions of the block behind the current one, which the budget has already been charged for. */
  #remaining = 0;
  #floatChecked = false;
  /** The caller emits the jump itself. */
  #controlOnly = false;

  /** Begins a function's body; `finish` ends it. */
  constructor(b: FunctionBuilder, imports: RuntimeImports) {
    super(b, imports);
    this.#x = new RegisterFile(b, HartState.x);
    this.#f = new RegisterFile(b, HartState.f);
    this.#page = b.local(ValueType.i64);
    this.#pc = b.local(ValueType.i64);
    this.#budget = b.local(ValueType.i32);
    this.#tlb = b.local(ValueType.i32);
    this.#leave = b.block();
  }

  /** Charges the budget for a block of `count` instructions. */
  beginBlock(count: number): void {
    this.b.get(this.#budget).i32(count).op(Op.i32_sub).set(this.#budget);
    this.#remaining = count;
    this.#floatChecked = false;
  }

  /** Emits one instruction that is not a branch or a direct jump. */
  emit(decoded: Decoded, offset: number): void {
    this.#begin(decoded, offset);
    this.instruction(decoded.instruction, decoded);
  }

  /** Emits a branch's or a direct jump's part before the jump; a branch leaves its condition on the stack. */
  emitControl(decoded: Decoded, offset: number): void {
    this.#begin(decoded, offset);
    this.#controlOnly = true;
    this.instruction(decoded.instruction, decoded);
    this.#controlOnly = false;
  }

  #begin({ length }: Decoded, offset: number): void {
    this.#offset = offset;
    this.#length = length;
    this.#remaining--;
  }

  /** Leaves the region for an offset from the page's start. */
  exit(offset: number): void {
    this.#at(offset).emit(this.b);
    this.b.set(this.#pc).br(this.#leave);
  }

  /** Leaves for `offset` if the budget has ended; for back edges. */
  exitOnBudget(offset: number): void {
    this.b.get(this.#budget).i32(0).op(Op.i32_lt_s).if();
    this.exit(offset);
    this.b.end();
  }

  /** Ends the function: what to do where it is left, and, once it is known which registers it uses, on entry. */
  finish(): void {
    const { b } = this;
    b.op(Op.unreachable).end();
    this.#x.emitStores(b);
    this.#f.emitStores(b);
    b.get(HART).get(this.#budget).memory(Memory.i32_store, HartState.budget);
    b.get(HART).memory(Memory.i32_load, HartState.signal).i32(Signal.jumped).op(Op.i32_ne).if();
    b.get(HART).get(this.#pc).memory(Memory.i64_store, HartState.pc);
    b.end();
    b.prologue(() => {
      this.#x.emitLoads(b);
      this.#f.emitLoads(b);
      b.get(HART).memory(Memory.i64_load, HartState.pc).i64(-4096n).op(Op.i64_and).set(this.#page);
      b.get(HART).memory(Memory.i32_load, HartState.budget).set(this.#budget);
      b.get(HART).memory(Memory.i32_load, HartState.dataTlb).set(this.#tlb);
    });
  }

  x = (register: number) => (register === 0 ? Expression.constant(0n) : Expression.local(this.#x.local(register)));

  setX(register: number, value: Expression): void {
    if (register === 0) return;
    value.emit(this.b);
    this.b.set(this.#x.write(register));
  }

  f = (register: number) => Expression.local(this.#f.local(register));

  setF(register: number, value: Expression): void {
    value.emit(this.b);
    this.b.set(this.#f.write(register));
    this.b.get(HART).i32(1).memory(Memory.i32_store, HartState.floatDirty);
  }

  isX0 = (register: number) => Expression.constant(register === 0 ? 1n : 0n);
  immediate = (field: number) => Expression.constant(BigInt(field));
  pc = () => this.#at(this.#offset);
  nextPc = () => this.#at(this.#offset + this.#length);

  jump(target: Expression): void {
    if (this.#controlOnly) return;
    target.emit(this.b);
    this.b.set(this.#pc).br(this.#leave);
  }

  branch(condition: Expression): void {
    condition.emitCondition(this.b);
  }

  protected emitField(field: number): void {
    this.b.i32(field);
  }

  protected override emitDataTlb(): void {
    this.b.get(this.#tlb);
  }

  protected spill(): void {
    const { b } = this;
    b.get(HART);
    this.pc().emit(b);
    b.memory(Memory.i64_store, HartState.pc);
    b.get(HART).get(this.#budget).i32(this.#remaining).op(Op.i32_add).memory(Memory.i32_store, HartState.budget);
  }

  /** It works on registers in the hart's state, which a region does not keep there: `control-flow.ts` leaves it out. */
  override compareExchangePair(): void {
    throw new Error("an instruction on registers in memory was translated");
  }

  protected statusRead(): void {
    this.b.get(HART).memory(Memory.i32_load, HartState.dataTlb).set(this.#tlb);
    this.#floatChecked = false;
  }

  protected leaveIf(): void {
    this.b.if();
    this.#refund();
    this.exit(this.#offset);
    this.b.end();
  }

  protected leaveOnSignal(): void {
    const { b } = this;
    b.get(HART).memory(Memory.i32_load, HartState.signal).if();
    this.#refund();
    this.pc().emit(b);
    b.i64(BigInt(this.#length)).i64(0n);
    b.get(HART).memory(Memory.i32_load, HartState.signal).i32(Signal.leave).op(Op.i32_eq);
    b.op(Op.select).op(Op.i64_add).set(this.#pc).br(this.#leave).end();
  }

  protected requireFloat(): void {
    if (this.#floatChecked) return;
    this.b.get(HART).memory(Memory.i32_load, HartState.floatEnabled).op(Op.i32_eqz).if();
    this.system("illegal", this.constant(0n), this.constant(0n));
    this.b.end();
    this.#floatChecked = true;
  }

  /** Gives back what the block was charged for instructions that will not run. */
  #refund(): void {
    if (this.#remaining === 0) return;
    this.b.get(this.#budget).i32(this.#remaining).op(Op.i32_add).set(this.#budget);
  }

  #at(offset: number): Expression {
    return this.add(Expression.local(this.#page), Expression.constant(BigInt(offset)));
  }
}
