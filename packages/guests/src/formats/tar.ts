// The tar archive: ustar headers with GNU long names and pax records, as .debs contain them.
// Format: POSIX "pax Interchange Format", GNU tar "Basic Tar Format". Reading streams; writing is ustar + GNU.
import { ByteReader, concat } from "./bytes.ts";
import { FormatError } from "./format-error.ts";

const BLOCK = 512;
/** Longest name or pax block taken from an archive: bounds what a broken size field can make us allocate. */
const MAX_METADATA_BYTES = 1 << 20;
const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder();
const encoder = new TextEncoder();

export type TarType = "file" | "hardlink" | "link" | "character" | "block" | "directory" | "fifo";

/** What an archive says about one node; sizes in bytes, times in seconds. */
export interface TarHeader {
  name: string;
  type: TarType;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  modified: number;
  target: string;
  major: number;
  minor: number;
}

/** A node and its content, to be read before the next entry is asked for, or not at all. */
export interface TarEntry extends TarHeader {
  content(): Promise<Uint8Array>;
}

const types: Readonly<Record<string, TarType>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "link",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};

function text(block: Uint8Array, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return utf8.decode(end < 0 ? field : field.subarray(0, end));
}

function numberField(block: Uint8Array, offset: number, length: number): number {
  const first = block[offset] as number;
  if (first & 0x80) {
    let value = BigInt(first & 0x7f);
    for (let at = offset + 1; at < offset + length; at++) value = (value << 8n) | BigInt(block[at] as number);
    return Number(value);
  }
  const digits = latin1.decode(block.subarray(offset, offset + length)).replace(/[\0 ]+/g, "");
  if (!/^[0-7]*$/.test(digits)) throw new FormatError(`expected an octal number in a tar header, found ${digits}`);
  return Number.parseInt(digits || "0", 8);
}

function checksum(block: Uint8Array): number {
  let sum = 8 * 32;
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += block[at] as number;
  return sum;
}

function paxRecords(bytes: Uint8Array): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at);
    const length = Number(latin1.decode(bytes.subarray(at, space)));
    if (space < 0 || !Number.isInteger(length) || length < 5 || at + length > bytes.length) {
      throw new FormatError("a pax record has a wrong length");
    }
    const record = utf8.decode(bytes.subarray(space + 1, at + length - 1));
    const equals = record.indexOf("=");
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

function parse(block: Uint8Array): TarHeader & { flag: string } {
  if (numberField(block, 148, 8) !== checksum(block)) throw new FormatError("a tar header's checksum is wrong");
  const flag = String.fromCharCode(block[156] as number);
  const ustar = latin1.decode(block.subarray(257, 263)) === "ustar\0";
  const prefix = ustar ? text(block, 345, 155) : "";
  const name = text(block, 0, 100);
  return {
    flag,
    name: prefix ? `${prefix}/${name}` : name,
    type: types[flag] ?? "file",
    mode: numberField(block, 100, 8) & 0o7777,
    uid: numberField(block, 108, 8),
    gid: numberField(block, 116, 8),
    size: numberField(block, 124, 12),
    modified: numberField(block, 136, 12),
    target: text(block, 157, 100),
    major: numberField(block, 329, 8),
    minor: numberField(block, 337, 8),
  };
}

function applyPax(header: TarHeader, records: ReadonlyMap<string, string>): void {
  const number = (key: string, old: number) => (records.has(key) ? Math.floor(Number(records.get(key))) : old);
  header.name = records.get("path") ?? header.name;
  header.target = records.get("linkpath") ?? header.target;
  header.size = number("size", header.size);
  header.uid = number("uid", header.uid);
  header.gid = number("gid", header.gid);
  header.modified = number("mtime", header.modified);
}

/** The entries of an archive in order. Throws FormatError on anything that is not a tar archive. */
export async function* readTar(stream: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const reader = new ByteReader(stream);
  let name: string | undefined;
  let target: string | undefined;
  let global = new Map<string, string>();
  let local = new Map<string, string>();
  try {
    for (;;) {
      const block = await reader.exactly(BLOCK);
      if (block.length === 0) throw new FormatError("a tar archive ends without its end mark");
      if (block.length < BLOCK) throw new FormatError("a tar archive ends inside a header");
      if (block.every((byte) => byte === 0)) return;
      const { flag, ...header } = parse(block);
      const metadata = async () => {
        if (header.size > MAX_METADATA_BYTES) throw new FormatError(`a tar name of ${header.size} bytes`);
        const bytes = (await reader.exactly(Math.ceil(header.size / BLOCK) * BLOCK)).slice(0, header.size);
        if (bytes.length < header.size) throw new FormatError("a tar archive ends inside a name");
        return bytes;
      };
      if (flag === "L") name = utf8.decode(await metadata()).replace(/\0.*$/s, "");
      else if (flag === "K") target = utf8.decode(await metadata()).replace(/\0.*$/s, "");
      else if (flag === "g") global = paxRecords(await metadata());
      else if (flag === "x") local = paxRecords(await metadata());
      else {
        if (types[flag] === undefined) throw new FormatError(`a tar entry of unknown type ${JSON.stringify(flag)}`);
        header.name = name ?? header.name;
        header.target = target ?? header.target;
        applyPax(header, new Map([...global, ...local]));
        if (!Number.isSafeInteger(header.size) || header.size < 0) throw new FormatError("a tar entry's size is wrong");
        if (header.type !== "file") header.size = 0;
        [name, target, local] = [undefined, undefined, new Map()];
        let left = header.size;
        const content = async () => {
          const bytes = await reader.exactly(left);
          if (bytes.length < left) throw new FormatError(`a tar archive ends inside ${header.name}`);
          left = 0;
          return bytes;
        };
        yield { ...header, content };
        const padding = (BLOCK - (header.size % BLOCK)) % BLOCK;
        if (!(await reader.skip(left + padding))) throw new FormatError(`a tar archive ends inside ${header.name}`);
      }
    }
  } finally {
    await reader.close();
  }
}

function block(header: TarHeader, flag: string): Uint8Array {
  const bytes = new Uint8Array(BLOCK);
  const put = (offset: number, value: string) => bytes.set(encoder.encode(value), offset);
  const octal = (offset: number, length: number, value: number) => {
    const digits = value.toString(8).padStart(length - 1, "0");
    if (digits.length < length) put(offset, digits);
    else {
      for (let at = length - 1, left = BigInt(value); at >= 0; at--, left >>= 8n)
        bytes[offset + at] = Number(left & 0xffn);
      bytes[offset] = (bytes[offset] as number) | 0x80;
    }
  };
  bytes.set(encoder.encode(header.name).subarray(0, 100), 0);
  octal(100, 8, header.mode);
  octal(108, 8, header.uid);
  octal(116, 8, header.gid);
  octal(124, 12, header.size);
  octal(136, 12, header.modified);
  put(156, flag);
  bytes.set(encoder.encode(header.target).subarray(0, 100), 157);
  put(257, "ustar  \0");
  octal(329, 8, header.major);
  octal(337, 8, header.minor);
  put(148, `${checksum(bytes).toString(8).padStart(6, "0")}\0 `);
  return bytes;
}

const flags: Readonly<Record<TarType, string>> = {
  file: "0",
  hardlink: "1",
  link: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

function longName(flag: "L" | "K", value: string): Uint8Array[] {
  const bytes = encoder.encode(`${value}\0`);
  if (bytes.length <= 101) return [];
  const header = { ...emptyHeader, name: "././@LongLink", size: bytes.length };
  return [block(header, flag), bytes, tarPadding(bytes.length)];
}

const emptyHeader: TarHeader = {
  name: "",
  type: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  modified: 0,
  target: "",
  major: 0,
  minor: 0,
};

/** The header of an entry; its content and then `tarPadding` have to follow. */
export function tarHeader(header: Partial<TarHeader> & { name: string }): Uint8Array<ArrayBuffer> {
  const whole = { ...emptyHeader, ...header };
  return concat([...longName("L", whole.name), ...longName("K", whole.target), block(whole, flags[whole.type])]);
}

/** The zeroes that follow a content of `size` bytes. */
export const tarPadding = (size: number): Uint8Array => new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);

/** The two empty blocks every archive ends with. */
export const tarEnd: Uint8Array = new Uint8Array(2 * BLOCK);

/** A whole archive in memory. */
export function writeTar(entries: readonly (Partial<TarHeader> & { name: string; content?: Uint8Array })[]) {
  const parts = entries.flatMap(({ content = new Uint8Array(0), ...header }) => [
    tarHeader({ ...header, size: content.length }),
    content,
    tarPadding(content.length),
  ]);
  return concat([...parts, tarEnd]);
}
