/** Writes the body of one WebAssembly function, instruction by instruction. Who calls it: every code generator here. */
import { ByteWriter } from "./byte-writer.ts";
import { Op, ValueType } from "./opcodes.ts";

/** An enclosing block, loop or if, as branches name it. */
export interface Label {
  readonly depth: number;
}

/** What is known of a branch: where it lies in the instructions, and whether it is mostly taken. */
export interface BranchHint {
  readonly offset: number;
  readonly likely: boolean;
}

const KINDS = [ValueType.i32, ValueType.i64, ValueType.f32, ValueType.f64, ValueType.v128];
/** The position of a type among `KINDS`. */
const kindOf = (type: ValueType): number => ValueType.i32 - type;

export class FunctionBuilder {
  /** Instructions written so far. */
  readonly code = new ByteWriter();
  readonly #parameters: number;
  readonly #locals: ValueType[] = [];
  /** Temporaries that are free, by what `kindOf` says of their types, and those that are taken. */
  readonly #free: number[][] = KINDS.map(() => []);
  readonly #taken: number[] = [];
  readonly #hints: BranchHint[] = [];
  /** Where the function's own index has to be put. */
  readonly #ownIndices: number[] = [];
  #depth = 0;

  constructor(parameters: readonly ValueType[]) {
    this.#parameters = parameters.length;
  }

  /** A fresh local; its initial value is 0. */
  local(type: ValueType): number {
    this.#locals.push(type);
    return this.#parameters + this.#locals.length - 1;
  }

  /** A local for now, with any value: `releaseTemporaries` gives it to others. */
  temporary(type: ValueType): number {
    const local = this.#free[kindOf(type)]!.pop() ?? this.local(type);
    this.#taken.push(local);
    return local;
  }

  /** Every temporary taken so far may be used again. */
  releaseTemporaries(): void {
    for (const local of this.#taken) {
      const type = this.#locals[local - this.#parameters]!;
      this.#free[kindOf(type)]!.push(local);
    }
    if (this.#taken.length > 0) this.#taken.length = 0;
  }

  /** Says of the `brIf` or `if` that comes next how it mostly goes. */
  hint(expected: "likely" | "unlikely"): this {
    this.#hints.push({ offset: this.code.length, likely: expected === "likely" });
    return this;
  }

  op(opcode: number): this {
    this.code.byte(opcode);
    return this;
  }

  i32(value: number): this {
    this.code.byte(0x41);
    this.code.signed(value);
    return this;
  }

  i64(value: bigint): this {
    this.code.byte(0x42);
    this.code.signed64(value);
    return this;
  }

  /** An i64 constant that a number holds exactly. */
  integer(value: number): this {
    this.code.byte(0x42);
    this.code.signedSafe(value);
    return this;
  }

  f64(value: number): this {
    this.code.byte(0x44);
    this.code.append(new Uint8Array(new Float64Array([value]).buffer));
    return this;
  }

  f32(value: number): this {
    this.code.byte(0x43);
    this.code.append(new Uint8Array(new Float32Array([value]).buffer));
    return this;
  }

  get(local: number): this {
    return this.#indexed(0x20, local);
  }

  set(local: number): this {
    return this.#indexed(0x21, local);
  }

  tee(local: number): this {
    return this.#indexed(0x22, local);
  }

  getGlobal(index: number): this {
    return this.#indexed(0x23, index);
  }

  /** A plain load or store of the table `Memory`, with any alignment. */
  memory(opcode: number, offset = 0): this {
    this.code.byte(opcode);
    this.code.byte(0);
    this.code.unsigned(offset);
    return this;
  }

  /** An atomic access of the table `Atomic` to 2^`logBytes` naturally aligned bytes. */
  atomic(opcode: number, logBytes: number, offset = 0): this {
    this.code.byte(0xfe);
    this.code.unsigned(opcode);
    this.code.byte(logBytes);
    this.code.unsigned(offset);
    return this;
  }

  /** Sequentially consistent fence. */
  atomicFence(): this {
    this.code.byte(0xfe);
    this.code.byte(0x03);
    this.code.byte(0);
    return this;
  }

  /** An instruction behind the SIMD prefix 0xfd, without immediates. */
  simd(opcode: number): this {
    this.code.byte(0xfd);
    this.code.unsigned(opcode);
    return this;
  }

  /** An instruction behind the prefix 0xfc, such as the saturating truncations. */
  misc(opcode: number): this {
    this.code.byte(0xfc);
    this.code.unsigned(opcode);
    return this;
  }

  call(functionIndex: number): this {
    return this.#indexed(0x10, functionIndex);
  }

  /** Calls this function, whose index is not known before all imports are. */
  callItself(): this {
    this.code.byte(0x10);
    this.#ownIndices.push(this.code.length);
    this.code.unsignedPadded(0);
    return this;
  }

  callIndirect(typeIndex: number, table = 0): this {
    this.#indexed(0x11, typeIndex);
    this.code.unsigned(table);
    return this;
  }

  /** Leaves the function by calls that take its place. */
  returnCall(functionIndex: number): this {
    return this.#indexed(0x12, functionIndex);
  }

  returnCallIndirect(typeIndex: number, table = 0): this {
    this.#indexed(0x13, typeIndex);
    this.code.unsigned(table);
    return this;
  }

  block(result: ValueType = ValueType.empty): Label {
    return this.#open(0x02, result);
  }

  loop(result: ValueType = ValueType.empty): Label {
    return this.#open(0x03, result);
  }

  /** Takes an i32 condition from the stack. */
  if(result: ValueType = ValueType.empty): Label {
    return this.#open(0x04, result);
  }

  else(): this {
    return this.op(0x05);
  }

  end(): this {
    this.#depth--;
    return this.op(0x0b);
  }

  br(label: Label): this {
    return this.#indexed(0x0c, this.#depth - label.depth);
  }

  brIf(label: Label): this {
    return this.#indexed(0x0d, this.#depth - label.depth);
  }

  /** Takes an i32 index from the stack; the last label is the default. */
  brTable(labels: readonly Label[], otherwise: Label): this {
    this.#indexed(0x0e, labels.length);
    for (const label of [...labels, otherwise]) this.code.unsigned(this.#depth - label.depth);
    return this;
  }

  return(): this {
    return this.op(Op.return);
  }

  /**
   * Appends the function to a code section, and gives its branch hints by their offsets in it; nothing can be written any more.
   * @param index its own.
   */
  finish(index: number, section: ByteWriter): readonly BranchHint[] {
    const { code } = this;
    for (const offset of this.#ownIndices) code.patchPadded(offset, index);
    const head = new ByteWriter();
    this.#declareLocals(head);
    code.byte(0x0b);
    section.unsigned(head.length + code.length);
    section.append(head.view());
    section.append(code.view());
    const start = head.length;
    head.release();
    code.release();
    return this.#hints.map(({ offset, likely }) => ({ offset: start + offset, likely }));
  }

  /** Locals in groups of one type. */
  #declareLocals(head: ByteWriter): void {
    const locals = this.#locals;
    const isFirst = (i: number): boolean => i === 0 || locals[i] !== locals[i - 1];
    let groups = 0;
    for (let i = 0; i < locals.length; i++) if (isFirst(i)) groups++;
    head.unsigned(groups);
    for (let start = 0; start < locals.length; ) {
      let end = start + 1;
      while (end < locals.length && !isFirst(end)) end++;
      head.unsigned(end - start);
      head.byte(locals[start]!);
      start = end;
    }
  }

  #open(opcode: number, result: ValueType): Label {
    this.code.byte(opcode);
    this.code.byte(result);
    return { depth: ++this.#depth };
  }

  #indexed(opcode: number, index: number): this {
    this.code.byte(opcode);
    this.code.unsigned(index);
    return this;
  }
}
