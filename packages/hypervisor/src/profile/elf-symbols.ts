/**
 * Functions of a 64-bit ELF file that may be read only in parts: what the guest has in its page cache. Prefers `.symtab`,
 * then `.dynsym`, by the section headers or, where those are out of reach, by the dynamic section.
 * @spec System V ABI "Object Files", "Dynamic Section". The bytes are a guest's: what does not fit reads as absent.
 */
import { type FunctionSymbol, SymbolTable } from "./symbol-table.ts";

/** Bytes of the file from an offset on, or undefined if any of them is out of reach. */
export type ReadAt = (offset: number, length: number) => Uint8Array | undefined;

export interface ElfSymbols {
  /** By the virtual addresses that the file is linked for. */
  readonly table: SymbolTable;
  /** Virtual address of an offset in the file, or undefined if no segment loads it. */
  addressOf(offset: number): bigint | undefined;
  /** Some of the tables could not be read: a later try may find more. */
  readonly incomplete: boolean;
}

const MAGIC = 0x7f45_4c46;
const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;
const SECTION_BYTES = 64;
const SYMBOL_BYTES = 24;
const Segment = { load: 1, dynamic: 2 } as const;
const Section = { symbols: 2, dynamicSymbols: 11 } as const;
const Tag = { hash: 4n, strings: 5n, symbols: 6n, stringBytes: 10n, gnuHash: 0x6fff_fef5n } as const;
const SymbolType = { none: 0, function: 2, indirect: 10 } as const;
const MOST_PARTS = 1024;
const MOST_SYMBOLS = 1 << 20;
const MOST_STRINGS = 64 << 20;
/** Symbols are read in pieces, so that a hole in the file loses only what lies in it. */
const PIECE_BYTES = 4096;

interface Loaded {
  readonly offset: bigint;
  readonly address: bigint;
  readonly bytes: bigint;
}

/** Undefined if the file's beginning is out of reach or no ELF. */
export function elfSymbols(read: ReadAt): ElfSymbols | undefined {
  const header = viewAt(read, 0, HEADER_BYTES);
  if (header === undefined || header.getUint32(0) !== MAGIC || header.getUint8(4) !== 2) return undefined;
  const segments = readSegments(read, header);
  if (segments === undefined) return undefined;
  const { loaded, dynamic } = segments;
  const found = fromSections(read, header) ?? fromDynamic(read, loaded, dynamic) ?? { symbols: [], incomplete: true };
  return {
    table: new SymbolTable(found.symbols),
    incomplete: found.incomplete,
    addressOf: (offset) => {
      const at = BigInt(offset);
      const home = loaded.find((part) => at >= part.offset && at < part.offset + part.bytes);
      return home === undefined ? undefined : at - home.offset + home.address;
    },
  };
}

function readSegments(read: ReadAt, header: DataView): { loaded: Loaded[]; dynamic: Loaded | undefined } | undefined {
  const count = header.getUint16(56, true);
  const at = Number(header.getBigUint64(32, true));
  const view = count > MOST_PARTS ? undefined : viewAt(read, at, count * SEGMENT_BYTES);
  if (view === undefined) return undefined;
  const loaded: Loaded[] = [];
  let dynamic: Loaded | undefined;
  for (let part = 0; part < view.byteLength; part += SEGMENT_BYTES) {
    const field = (offset: number): bigint => view.getBigUint64(part + offset, true);
    const type = view.getUint32(part, true);
    const segment = { offset: field(8), address: field(16), bytes: field(32) };
    if (type === Segment.load) loaded.push(segment);
    else if (type === Segment.dynamic) dynamic = segment;
  }
  return { loaded, dynamic };
}

interface Found {
  readonly symbols: readonly FunctionSymbol[];
  readonly incomplete: boolean;
}

/** Undefined if the section headers are out of reach or name no table of symbols that can be read. */
function fromSections(read: ReadAt, header: DataView): Found | undefined {
  const count = header.getUint16(60, true);
  const at = Number(header.getBigUint64(40, true));
  const view = count === 0 || count > MOST_PARTS ? undefined : viewAt(read, at, count * SECTION_BYTES);
  if (view === undefined) return undefined;
  for (const wanted of [Section.symbols, Section.dynamicSymbols]) {
    for (let part = 0; part < view.byteLength; part += SECTION_BYTES) {
      if (view.getUint32(part + 4, true) !== wanted) continue;
      const names = view.getUint32(part + 40, true) * SECTION_BYTES;
      if (names >= view.byteLength) continue;
      const extent = (section: number) => ({
        offset: Number(view.getBigUint64(section + 24, true)),
        bytes: Number(view.getBigUint64(section + 32, true)),
      });
      const found = readSymbols(read, extent(part), extent(names));
      if (found.symbols.length > 0) return found;
    }
  }
  return undefined;
}

function fromDynamic(read: ReadAt, loaded: readonly Loaded[], dynamic: Loaded | undefined): Found | undefined {
  const view = dynamic && viewAt(read, Number(dynamic.offset), Math.min(Number(dynamic.bytes), PIECE_BYTES));
  if (view === undefined) return undefined;
  const tags = new Map<bigint, bigint>();
  for (let at = 0; at + 16 <= view.byteLength; at += 16) {
    tags.set(view.getBigInt64(at, true), view.getBigUint64(at + 8, true));
  }
  const place = (tag: bigint): number | undefined => {
    const address = tags.get(tag);
    const home = loaded.find((l) => address !== undefined && address >= l.address && address < l.address + l.bytes);
    return home === undefined ? undefined : Number(address! - home.address + home.offset);
  };
  const [symbols, strings] = [place(Tag.symbols), place(Tag.strings)];
  const stringBytes = Number(tags.get(Tag.stringBytes) ?? 0n);
  if (symbols === undefined || strings === undefined) return undefined;
  // Linkers put the strings right behind the symbols; where they do not, a table of hashes tells how many there are.
  const count = countByHash(read, place(Tag.hash)) ?? (strings > symbols ? (strings - symbols) / SYMBOL_BYTES : 0);
  const extent = { offset: symbols, bytes: Math.floor(count) * SYMBOL_BYTES };
  return readSymbols(read, extent, { offset: strings, bytes: stringBytes });
}

const countByHash = (read: ReadAt, at: number | undefined): number | undefined =>
  at === undefined ? undefined : viewAt(read, at, 8)?.getUint32(4, true);

interface Extent {
  readonly offset: number;
  readonly bytes: number;
}

function readSymbols(read: ReadAt, table: Extent, strings: Extent): Found {
  if (table.bytes > MOST_SYMBOLS * SYMBOL_BYTES || strings.bytes > MOST_STRINGS)
    return { symbols: [], incomplete: false };
  const names = new Names(read, strings);
  const symbols: FunctionSymbol[] = [];
  let incomplete = false;
  const piece = Math.floor(PIECE_BYTES / SYMBOL_BYTES) * SYMBOL_BYTES;
  for (let done = 0; done < table.bytes; done += piece) {
    const bytes = Math.min(piece, table.bytes - done);
    const view = viewAt(read, table.offset + done, bytes - (bytes % SYMBOL_BYTES));
    if (view === undefined) incomplete = true;
    else for (let at = 0; at < view.byteLength; at += SYMBOL_BYTES) addSymbol(view, at, names, symbols);
  }
  return { symbols, incomplete: incomplete || names.incomplete };
}

function addSymbol(view: DataView, at: number, names: Names, to: FunctionSymbol[]): void {
  const type = view.getUint8(at + 4) & 15;
  const binding = view.getUint8(at + 4) >> 4;
  const address = view.getBigUint64(at + 8, true);
  const size = Number(view.getBigUint64(at + 16, true));
  const isCode = type === SymbolType.function || type === SymbolType.indirect;
  if (view.getUint16(at + 6, true) === 0 || address === 0n) return;
  // Assembly often leaves out the type; without a size either it would swallow all that follows.
  if (!isCode && (type !== SymbolType.none || size === 0)) return;
  const name = names.at(view.getUint32(at, true));
  if (name === undefined || name === "" || name.startsWith("$") || name.startsWith(".L")) return;
  to.push({ name, address, size, rank: (binding === 1 ? 2 : binding) - (name.startsWith("_") ? 1 : 0) });
}

/** A table of strings, read a page of the file at a time. */
class Names {
  readonly #read: ReadAt;
  readonly #start: number;
  readonly #end: number;
  readonly #pages = new Map<number, Uint8Array | undefined>();
  incomplete = false;

  constructor(read: ReadAt, { offset, bytes }: Extent) {
    this.#read = read;
    this.#start = offset;
    this.#end = offset + bytes;
  }

  at(offset: number): string | undefined {
    let text = "";
    for (let at = this.#start + offset; at < this.#end; at++) {
      const byte = this.#page(Math.floor(at / PIECE_BYTES))?.[at % PIECE_BYTES];
      if (byte === undefined) return undefined;
      if (byte === 0) return text;
      text += String.fromCharCode(byte);
    }
    return undefined;
  }

  #page(index: number): Uint8Array | undefined {
    if (!this.#pages.has(index)) {
      const start = index * PIECE_BYTES;
      const bytes = this.#read(start, Math.min(PIECE_BYTES, this.#end - start));
      if (bytes === undefined) this.incomplete = true;
      this.#pages.set(index, bytes);
    }
    return this.#pages.get(index);
  }
}

function viewAt(read: ReadAt, offset: number, length: number): DataView | undefined {
  if (!Number.isSafeInteger(offset) || offset < 0) return undefined;
  const bytes = read(offset, length);
  return bytes === undefined ? undefined : new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
