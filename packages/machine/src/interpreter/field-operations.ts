/** Instruction semantics for the interpreter: operands come from a decode-cache entry, registers from the hart's state. */
import { Expression } from "../codegen/expression.ts";
import type { RuntimeImports } from "../codegen/runtime-functions.ts";
import { HART, WasmOperations } from "../codegen/wasm-operations.ts";
import { DecodeEntry, HartState, Signal } from "../hart/layout.ts";
import { type FunctionBuilder, type Label, Memory, Op } from "../wasm/index.ts";

/** Which operand field; register fields hold 8 × the register's number. */
export type EntryField = "rd" | "rs1" | "rs2" | "rs3" | "rm" | "imm" | "aq" | "rl";

/** Locals and labels of the interpreter's loop. */
export interface LoopFrame {
  readonly pc: number;
  readonly budget: number;
  /** Offset of the decode-cache entry. */
  readonly entry: number;
  /** Goes on with the next instruction; with the one at `pc` as a jump target; leaves with `pc` stored. */
  readonly next: Label;
  readonly jumped: Label;
  readonly leave: Label;
  /** Leaves without storing `pc`. */
  readonly leaveJumped: Label;
}

export class FieldOperations extends WasmOperations<EntryField> {
  readonly #frame: LoopFrame;

  constructor(b: FunctionBuilder, imports: RuntimeImports, frame: LoopFrame) {
    super(b, imports, "calls");
    this.#frame = frame;
  }

  x = (register: EntryField) =>
    Expression.leaf((b) => {
      this.#registerAddress(register);
      b.memory(Memory.i64_load, HartState.x);
    });

  /** Writes to `x0` land in its slot, which the loop clears behind every instruction. */
  setX(register: EntryField, value: Expression): void {
    this.#registerAddress(register);
    value.emit(this.b);
    this.b.memory(Memory.i64_store, HartState.x);
  }

  f = (register: EntryField) =>
    Expression.leaf((b) => {
      this.#registerAddress(register);
      b.memory(Memory.i64_load, HartState.f);
    });

  setF(register: EntryField, value: Expression): void {
    this.#registerAddress(register);
    value.emit(this.b);
    this.b.memory(Memory.i64_store, HartState.f);
    this.b.get(HART).i32(1).memory(Memory.i32_store, HartState.floatDirty);
  }

  isX0 = (register: EntryField) =>
    Expression.condition(
      Op.i64_eqz,
      Expression.leaf((b) => {
        this.#registerOffset(register);
        b.op(Op.i64_extend_i32_u);
      }),
    );

  immediate = (field: EntryField) =>
    Expression.leaf((b) => {
      if (field === "imm") b.get(this.#frame.entry).memory(Memory.i64_load32_s, DecodeEntry.imm);
      else {
        this.emitField(field);
        b.op(Op.i64_extend_i32_u);
      }
    });

  pc = () => Expression.local(this.#frame.pc);

  nextPc = () =>
    this.add(
      this.pc(),
      Expression.leaf((b) => b.get(this.#frame.entry).memory(Memory.i64_load8_u, DecodeEntry.length)),
    );

  jump(target: Expression): void {
    target.emit(this.b);
    this.b.set(this.#frame.pc).br(this.#frame.jumped);
  }

  branch(condition: Expression, target: Expression): void {
    condition.emitCondition(this.b);
    this.b.if();
    this.jump(target);
    this.b.end();
  }

  protected emitField(field: EntryField): void {
    if (field === "rm") this.b.get(this.#frame.entry).memory(Memory.i32_load8_u, DecodeEntry.rm);
    else if (field === "imm") this.b.get(this.#frame.entry).memory(Memory.i32_load, DecodeEntry.imm);
    else {
      this.#registerOffset(field);
      this.b.i32(3).op(Op.i32_shr_u);
    }
  }

  protected spill(): void {
    const { b } = this;
    b.get(HART).get(this.#frame.pc).memory(Memory.i64_store, HartState.pc);
    b.get(HART).get(this.#frame.budget).memory(Memory.i32_store, HartState.budget);
  }

  protected statusRead(): void {}

  protected leaveIf(): void {
    this.b.brIf(this.#frame.leave);
  }

  protected leaveOnSignal(): void {
    const { b } = this;
    b.get(HART).memory(Memory.i32_load, HartState.signal).if();
    b.get(HART)
      .memory(Memory.i32_load, HartState.signal)
      .i32(Signal.jumped)
      .op(Op.i32_eq)
      .brIf(this.#frame.leaveJumped);
    b.get(HART).memory(Memory.i32_load, HartState.signal).i32(Signal.leave).op(Op.i32_eq).if();
    this.nextPc().emit(b);
    b.set(this.#frame.pc);
    b.end();
    b.br(this.#frame.leave);
    b.end();
  }

  protected requireFloat(): void {
    this.b.get(HART).memory(Memory.i32_load, HartState.floatEnabled).op(Op.i32_eqz).if();
    this.system("illegal", this.constant(0n), this.constant(0n));
    this.b.end();
  }

  #registerOffset(register: EntryField): void {
    this.b.get(this.#frame.entry).memory(Memory.i32_load8_u, DecodeEntry[register as "rd"]);
  }

  #registerAddress(register: EntryField): void {
    this.b.get(HART);
    this.#registerOffset(register);
    this.b.op(Op.i32_add);
  }
}
