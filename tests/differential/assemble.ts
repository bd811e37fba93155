/** Gives a program's tree addresses: items to instruction bytes. */
import { type Fields, insertFields, instructionNamed } from "@bulkhead/isa";
import type { Item, Operation } from "./program.ts";

/** Instruction words with their lengths, to be laid out one behind the other. */
export class Code {
  #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  emit({ form, fields }: Operation): this {
    return this.#word(insertFields(form, fields), form.length);
  }

  /** Emits a 32-bit instruction by name. */
  add(name: string, fields: Partial<Fields<number>>): this {
    return this.emit({ form: instructionNamed(name), fields });
  }

  append(code: Code): this {
    this.#bytes.push(...code.#bytes);
    return this;
  }

  #word(word: number, length: number): this {
    for (let i = 0; i < length; i++) this.#bytes.push((word >>> (8 * i)) & 0xff);
    return this;
  }
}

export function assemble(items: readonly Item[]): Code {
  const code = new Code();
  for (const item of items) emitItem(code, item);
  return code;
}

function emitItem(code: Code, item: Item): void {
  switch (item.kind) {
    case "straight":
      for (const operation of item.operations) code.emit(operation);
      break;
    case "skip": {
      const body = assemble(item.body);
      code.emit(withImmediate(item.branch, item.branch.form.length + body.length)).append(body);
      break;
    }
    case "leap": {
      const body = assemble(item.body);
      const target = 8 + item.jump.form.length + body.length;
      code.add("auipc", { rd: item.via, imm: 0 });
      code.add("addi", { rd: item.via, rs1: item.via, imm: target - ((item.jump.fields.imm ?? 0) & ~1) });
      code.emit(item.jump).append(body);
      break;
    }
    case "loop": {
      const body = assemble(item.body);
      code.add("addi", { rd: item.counter, rs1: 0, imm: item.times }).append(body);
      code.add("addi", { rd: item.counter, rs1: item.counter, imm: -1 });
      code.add("bne", { rs1: item.counter, rs2: 0, imm: -(body.length + 4) });
      break;
    }
    case "call": {
      const body = assemble(item.body);
      code.add("jal", { rd: item.link, imm: 8 });
      code.add("jal", { rd: 0, imm: 4 + body.length + 4 }).append(body);
      code.add("jalr", { rd: 0, rs1: item.link, imm: 0 });
      break;
    }
    case "patch":
      emitPatch(code, item);
  }
}

function emitPatch(code: Code, { place, before, after, word, address }: Item & { kind: "patch" }): void {
  const value = insertFields(after.form, after.fields) | 0;
  const low = (value << 20) >> 20;
  if (place === "front") code.emit(before);
  code.add("lui", { rd: word, imm: (value - low) | 0 });
  code.add("addiw", { rd: word, rs1: word, imm: low });
  code.add("auipc", { rd: address, imm: 0 });
  code.add("sw", { rs1: address, rs2: word, imm: place === "front" ? -12 : 12 });
  code.add("fence.i", {});
  if (place === "behind") code.emit(before);
}

const withImmediate = ({ form, fields }: Operation, imm: number): Operation => ({ form, fields: { ...fields, imm } });

/** Farthest forward that a branch or jump reaches, in bytes. */
export function reach({ form }: Operation): number {
  return 2 ** (form.signedWidth - 1) - 2;
}
