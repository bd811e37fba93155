/** Writes small ELF files with symbols, for tests. */
import { Bytes } from "./byte-writer.ts";

export interface WrittenFunction {
  readonly name: string;
  readonly address: number;
  readonly size: number;
  /** Default: 2, a function. */
  readonly type?: number;
  /** Default: 1, defined in this file. */
  readonly section?: number;
}

/** The one segment: the whole file, at this address. */
export const LINKED_AT = 0x10000;

const symbolsOf = (functions: readonly WrittenFunction[]) => {
  const strings = new Bytes().text("");
  const table = new Bytes().u64(0n, 0n, 0n);
  for (const { name, address, size, type = 2, section = 1 } of functions) {
    table
      .u32(strings.length)
      .u8(0x10 | type, 0)
      .u16(section)
      .u64(BigInt(address), BigInt(size));
    strings.text(name);
  }
  return { table: table.finish(), strings: strings.finish() };
};

/**
 * @param tables which tables the file has: `.symtab` and section headers, or a dynamic section and none.
 * @param gap bytes between the headers and the tables.
 */
export function writeElf(
  functions: readonly WrittenFunction[],
  tables: "sections" | "dynamic",
  gap = 0,
): Uint8Array<ArrayBuffer> {
  const { table, strings } = symbolsOf(functions);
  const start = 64 + 2 * 56 + gap;
  const stringsAt = start + table.length;
  const end = Math.ceil((stringsAt + strings.length) / 8) * 8;
  const sections = tables === "sections";
  const address = (offset: number): bigint => BigInt(LINKED_AT + offset);
  const dynamic = new Bytes()
    .u64(6n, address(start), 5n, address(stringsAt), 10n, BigInt(strings.length), 0n, 0n)
    .finish();
  const size = end + (sections ? 3 * 64 : dynamic.length);
  const out = new Bytes().u8(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1).align(16).u16(3, 243).u32(1);
  out
    .u64(0n, 64n, sections ? BigInt(end) : 0n)
    .u32(0)
    .u16(64, 56, 2, 64, sections ? 3 : 0, 0);
  out.u32(1, 5).u64(0n, address(0), address(0), BigInt(size), BigInt(size), 4096n);
  const found = sections ? [0n, 0n, 0n] : [BigInt(end), address(end), BigInt(dynamic.length)];
  out.u32(sections ? 0 : 2, 6).u64(found[0], found[1], found[1], found[2], found[2], 8n);
  out
    .u8(...Array(gap).fill(0))
    .bytes(table)
    .bytes(strings)
    .align(8);
  if (!sections) return out.bytes(dynamic).finish();
  const header = (type: number, offset: number, bytes: number, link: number) =>
    out.u32(0, type).u64(0n, 0n, BigInt(offset), BigInt(bytes)).u32(link, 0).u64(8n, 24n);
  header(0, 0, 0, 0);
  header(2, start, table.length, 2);
  header(3, stringsAt, strings.length, 0);
  return out.finish();
}
