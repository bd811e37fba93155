/**
 * The symbol table that a Linux kernel carries within itself, found in memory and decoded: names are sequences of tokens
 * of a table of 256, addresses are offsets from a base that relocation adjusts. Source: Linux, scripts/kallsyms.c, with
 * the addresses in front of the names (up to 6.1) or behind them (6.6 and later). The bytes are a guest's: what does not
 * fit together is refused.
 */

export interface Kallsyms {
  /** What offsets count from: a virtual address, as the running kernel has it. */
  readonly base: bigint;
  /** In ascending order. */
  readonly offsets: Uint32Array;
  readonly names: readonly string[];
  /** One character per symbol, as `nm` shows them: `t` and `T` are code. */
  readonly types: string;
}

const TOKENS = 256;
/** Symbols between two markers. */
const STRIDE = 256;
const DIGIT_0 = 0x30;
const MOST_SYMBOLS = 1 << 20;
const MOST_NAME = 512;
/** The longest token, and name, that are believed. */
const MOST_TOKEN = 128;

/**
 * Finds and decodes the table. @param bytes memory of the guest, contiguous as the kernel sees it.
 * @returns undefined where there is none that holds together.
 */
export function findKallsyms(bytes: Uint8Array): Kallsyms | undefined {
  for (let at = nextDigits(bytes, 0); at >= 0; at = nextDigits(bytes, at + 1)) {
    const found = decodeAround(bytes, at);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Where "0\0", "1\0" … "9\0" follow one another: digits are in every kernel's names, so they are tokens of their own. */
function nextDigits(bytes: Uint8Array, from: number): number {
  // The 20 bytes hold at least one whole word at every 16th byte, so only those are looked at.
  for (let at = Math.ceil(from / 16) * 16; at + 4 <= bytes.length; at += 16) {
    const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    const digit = b === 0 && d === 0 && c === a + 1 ? a : a === 0 && c === 0 && d === b + 1 ? b : 0;
    if (digit < DIGIT_0 || digit > DIGIT_0 + 9) continue;
    const start = at + (digit === a ? 0 : 1) - 2 * (digit - DIGIT_0);
    if (start >= from && areDigits(bytes, start)) return start;
  }
  return -1;
}

function areDigits(bytes: Uint8Array, at: number): boolean {
  for (let digit = 0; digit < 10; digit++) {
    if (bytes[at + 2 * digit] !== DIGIT_0 + digit || bytes[at + 2 * digit + 1] !== 0) return false;
  }
  return true;
}

interface Tokens {
  readonly tokens: readonly Uint8Array[];
  readonly start: number;
  /** Behind the index that follows the table. */
  readonly end: number;
}

function decodeAround(bytes: Uint8Array, digits: number): Kallsyms | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const tokens = readTokens(bytes, view, digits);
  if (tokens === undefined) return undefined;
  const names = findNames(view, tokens.start);
  if (names === undefined) return undefined;
  const decoded = decodeNames(bytes, names, tokens.tokens);
  if (decoded === undefined) return undefined;
  const addresses =
    addressesBehind(view, tokens.end, names.count) ?? addressesBefore(view, names.start - 8, names.count);
  return addresses === undefined ? undefined : { ...decoded, ...addresses };
}

/** The table of tokens around the digits, if the index behind it agrees. */
function readTokens(bytes: Uint8Array, view: DataView, digits: number): Tokens | undefined {
  let start = digits;
  for (let token = 0; token < DIGIT_0; token++) {
    const end = start - 1;
    if (bytes[end] !== 0) return undefined;
    for (start = end; start > 0 && bytes[start - 1] !== 0; start--) if (end - start > MOST_TOKEN) return undefined;
  }
  const tokens: Uint8Array[] = [];
  const starts: number[] = [];
  let at = start;
  for (; tokens.length < TOKENS; at++) {
    const first = at;
    while (at < bytes.length && bytes[at] !== 0) if (++at - first > MOST_TOKEN) return undefined;
    starts.push(first - start);
    tokens.push(bytes.slice(first, at));
  }
  const index = align(at, 8);
  if (index + 2 * TOKENS > bytes.length) return undefined;
  for (const [token, offset] of starts.entries()) {
    if (view.getUint16(index + 2 * token, true) !== offset) return undefined;
  }
  return { tokens, start, end: index + 2 * TOKENS };
}

interface Names {
  readonly start: number;
  readonly count: number;
  /** Where the names of every 256th symbol begin, from `start`. */
  readonly markers: readonly number[];
  /** Nothing of the names lies here or behind. */
  readonly end: number;
}

/** Markers lie before the tokens, names before the markers, and their number before the names. */
function findNames(view: DataView, tokens: number): Names | undefined {
  const markers: number[] = [];
  let at = (tokens - 4) & ~3;
  while (at > 0 && tokens - at < 16 && view.getUint32(at, true) === 0) at -= 4;
  for (; at >= 0; at -= 4) {
    const marker = view.getUint32(at, true);
    if (markers.length > 0 && marker >= markers[0]) return undefined;
    markers.unshift(marker);
    if (marker === 0) break;
    if (markers.length > MOST_SYMBOLS / STRIDE) return undefined;
  }
  // With a single marker it could not be told from padding; every kernel has thousands of symbols.
  if (markers.length < 2 || markers[0] !== 0) return undefined;
  const end = at;
  const last = markers.at(-1)!;
  const lowest = Math.max(8, end - last - STRIDE * MOST_NAME);
  for (let start = (end - last) & ~7; start >= lowest; start -= 8) {
    const count = view.getUint32(start - 8, true);
    if (count > 0 && Math.ceil(count / STRIDE) === markers.length && count <= MOST_SYMBOLS) {
      if (marksHold(view, { start, count, markers, end })) return { start, count, markers, end };
    }
  }
  return undefined;
}

/** Whether the first and the last stride of names are where the markers say. */
function marksHold(view: DataView, names: Names): boolean {
  const { count, markers } = names;
  if (skip(view, names, 0, STRIDE) !== markers[1]) return false;
  const left = count - (markers.length - 1) * STRIDE;
  const end = skip(view, names, markers.at(-1)!, left);
  // Only padding follows, so that the count, which zeros or other names could imitate, is right.
  return end >= 0 && names.start + end + 16 > names.end;
}

/** Offset behind so many names, or -1 if they leave the table. */
function skip(view: DataView, { start, end }: Names, from: number, count: number): number {
  let at = start + from;
  for (let i = 0; i < count; i++) {
    if (at + 2 > end) return -1;
    at += nameBytes(view, at).total;
  }
  return at <= end ? at - start : -1;
}

/** Length of a name in tokens, and of the whole entry: lengths from 128 on take two bytes. */
function nameBytes(view: DataView, at: number): { first: number; total: number } {
  const low = view.getUint8(at);
  if ((low & 0x80) === 0) return { first: at + 1, total: 1 + low };
  const length = (low & 0x7f) | (view.getUint8(at + 1) << 7);
  return { first: at + 2, total: 2 + length };
}

function decodeNames(
  bytes: Uint8Array,
  names: Names,
  tokens: readonly Uint8Array[],
): Pick<Kallsyms, "names" | "types"> | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const texts = tokens.map((token) => String.fromCharCode(...token));
  const decoded: string[] = [];
  const types: string[] = [];
  let at = names.start;
  for (let i = 0; i < names.count; i++) {
    if (i % STRIDE === 0 && at - names.start !== names.markers[i / STRIDE]) return undefined;
    if (at + 2 > names.end) return undefined;
    const { first, total } = nameBytes(view, at);
    const end = at + total;
    if (end > names.end) return undefined;
    let text = "";
    for (let k = first; k < end; k++) text += texts[bytes[k]];
    if (text.length < 2 || text.length > MOST_NAME) return undefined;
    types.push(text[0]);
    decoded.push(text.slice(1));
    at = end;
  }
  return { names: decoded, types: types.join("") };
}

/** Addresses last: offsets behind the tokens' index, then the base. */
function addressesBehind(view: DataView, start: number, count: number): Pick<Kallsyms, "base" | "offsets"> | undefined {
  const base = align(start + 4 * count, 8);
  return readAddresses(view, start, base, count);
}

/** Addresses first: offsets, then the base, before the number of symbols. */
function addressesBefore(
  view: DataView,
  number: number,
  count: number,
): Pick<Kallsyms, "base" | "offsets"> | undefined {
  const base = number - 8;
  return readAddresses(view, align(base - 4 * count - 7, 8), base, count);
}

function readAddresses(
  view: DataView,
  start: number,
  base: number,
  count: number,
): Pick<Kallsyms, "base" | "offsets"> | undefined {
  if (start < 0 || base + 8 > view.byteLength) return undefined;
  const offsets = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    offsets[i] = view.getUint32(start + 4 * i, true);
    if (i > 0 && offsets[i] < offsets[i - 1]) return undefined;
  }
  return offsets[count - 1] === 0 ? undefined : { base: view.getBigUint64(base, true), offsets };
}

const align = (value: number, to: number): number => Math.ceil(value / to) * to;
