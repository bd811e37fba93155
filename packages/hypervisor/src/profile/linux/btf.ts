/**
 * Where the members of a kernel's structures lie, from the type information that the kernel carries within itself.
 * Source: Linux, "BPF Type Format (BTF)". The bytes are a guest's: what does not fit together reads as absent.
 */

const MAGIC = 0xeb9f;
const TYPE_BYTES = 12;
const MEMBER_BYTES = 12;
const Kind = { struct: 4, union: 5, typedef: 8, volatile: 9, const: 10, restrict: 11, typeTag: 18 } as const;
/** Bytes behind the common part of a type: fixed, or for each of its `vlen` parts. */
const FIXED: Readonly<Record<number, number>> = { 1: 4, 3: 12, 14: 4, 17: 4 };
const EACH: Readonly<Record<number, number>> = { 4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12 };
const LAST_KIND = 19;
/** Anonymous structures within structures, and chains of typedefs. */
const MOST_DEPTH = 16;

export class Btf {
  readonly #view: DataView;
  /** Offset of each type, by its id; id 0 is void. */
  readonly #types: readonly number[];
  readonly #strings: number;

  /** @param bytes from the header on; more may follow. Undefined if they are no BTF. */
  static parse(bytes: Uint8Array): Btf | undefined {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes.length < 24 || view.getUint16(0, true) !== MAGIC) return undefined;
    const header = view.getUint32(4, true);
    const start = header + view.getUint32(8, true);
    const end = start + view.getUint32(12, true);
    const strings = header + view.getUint32(16, true);
    if (end > bytes.length || strings + view.getUint32(20, true) > bytes.length) return undefined;
    const types = [-1];
    for (let at = start; at + TYPE_BYTES <= end; ) {
      types.push(at);
      const { kind, parts } = infoOf(view, at);
      if (kind === 0 || kind > LAST_KIND) return undefined;
      at += TYPE_BYTES + (FIXED[kind] ?? 0) + (EACH[kind] ?? 0) * parts;
      if (at > end) return undefined;
    }
    return new Btf(view, types, strings);
  }

  /** For `parse` only. */
  constructor(view: DataView, types: readonly number[], strings: number) {
    this.#view = view;
    this.#types = types;
    this.#strings = strings;
  }

  /** Offset in bytes of a member, `f_path.dentry` for one within another; undefined if there is none. */
  offset(structure: string, path: string): number | undefined {
    let type = this.#find(structure);
    let offset = 0;
    for (const name of path.split(".")) {
      const member = type === undefined ? undefined : this.#member(type, name, 0);
      if (member === undefined) return undefined;
      offset += member.offset;
      type = this.#strip(member.type);
    }
    return offset;
  }

  /** Size of a structure in bytes. */
  size(structure: string): number | undefined {
    const at = this.#find(structure);
    return at === undefined ? undefined : this.#view.getUint32(at + 8, true);
  }

  #find(name: string): number | undefined {
    return this.#types.find((at) => at >= 0 && infoOf(this.#view, at).kind === Kind.struct && this.#named(at, name));
  }

  #member(at: number, name: string, depth: number): { offset: number; type: number } | undefined {
    const { kind, parts, bitfields } = infoOf(this.#view, at);
    if ((kind !== Kind.struct && kind !== Kind.union) || depth > MOST_DEPTH) return undefined;
    for (let i = 0; i < parts; i++) {
      const member = at + TYPE_BYTES + i * MEMBER_BYTES;
      const bits = this.#view.getUint32(member + 8, true);
      const offset = (bitfields ? bits & 0xff_ffff : bits) / 8;
      const type = this.#view.getUint32(member + 4, true);
      if (this.#named(member, name)) return { offset, type };
      if (this.#view.getUint32(member, true) !== 0) continue;
      const inner = this.#types[type];
      const found = inner === undefined || inner < 0 ? undefined : this.#member(inner, name, depth + 1);
      if (found !== undefined) return { offset: offset + found.offset, type: found.type };
    }
    return undefined;
  }

  /** A type without typedefs and qualifiers. */
  #strip(id: number): number | undefined {
    let at = this.#types[id];
    for (let depth = 0; at !== undefined && at >= 0 && depth < MOST_DEPTH; depth++) {
      const { kind } = infoOf(this.#view, at);
      const through = (kind >= Kind.typedef && kind <= Kind.restrict) || kind === Kind.typeTag;
      if (!through) return at;
      at = this.#types[this.#view.getUint32(at + 8, true)];
    }
    return undefined;
  }

  #named(at: number, name: string): boolean {
    const start = this.#strings + this.#view.getUint32(at, true);
    if (start + name.length >= this.#view.byteLength) return false;
    for (let i = 0; i < name.length; i++) if (this.#view.getUint8(start + i) !== name.charCodeAt(i)) return false;
    return this.#view.getUint8(start + name.length) === 0;
  }
}

function infoOf(view: DataView, at: number): { kind: number; parts: number; bitfields: boolean } {
  const info = view.getUint32(at + 4, true);
  return { kind: (info >>> 24) & 0x1f, parts: info & 0xffff, bitfields: info >>> 31 === 1 };
}
