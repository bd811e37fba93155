/** Writes the body of one WebAssembly function, instruction by instruction. Who calls it: every code generator here. */
import { ByteWriter } from "./byte-writer.ts";
import { Op, ValueType } from "./opcodes.ts";

/** An enclosing block, loop or if, as branches name it. */
export interface Label {
  readonly depth: number;
}

export class FunctionBuilder {
  /** Instructions written so far. */
  code = new ByteWriter();
  #prologue = new ByteWriter();
  readonly #parameters: number;
  readonly #locals: ValueType[] = [];
  #depth = 0;

  constructor(parameters: readonly ValueType[]) {
    this.#parameters = parameters.length;
  }

  /** A fresh local; its initial value is 0. */
  local(type: ValueType): number {
    this.#locals.push(type);
    return this.#parameters + this.#locals.length - 1;
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

  callIndirect(typeIndex: number, table = 0): this {
    this.#indexed(0x11, typeIndex);
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

  /** Writes instructions that run before all others, once it is known which are needed. */
  prologue(write: () => void): void {
    const body = this.code;
    this.code = this.#prologue;
    write();
    this.#prologue = this.code;
    this.code = body;
  }

  /** The function as the code section holds it: size, locals, instructions. */
  finish(): Uint8Array {
    const body = new ByteWriter();
    const groups: [ValueType, number][] = [];
    for (const type of this.#locals) {
      const last = groups.at(-1);
      if (last?.[0] === type) last[1]++;
      else groups.push([type, 1]);
    }
    body.unsigned(groups.length);
    for (const [type, count] of groups) {
      body.unsigned(count);
      body.byte(type);
    }
    body.append(this.#prologue.view());
    body.append(this.code.view());
    body.byte(0x0b);
    return body.view();
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
