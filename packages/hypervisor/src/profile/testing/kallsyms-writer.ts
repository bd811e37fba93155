/** Writes a kernel's table of symbols as scripts/kallsyms.c lays it out, for tests of its reader. */
import { Bytes } from "./byte-writer.ts";

export interface WrittenSymbol {
  readonly type: string;
  readonly name: string;
  readonly offset: number;
}

/** Tokens that stand for more than one character; all others stand for themselves. */
const LONG_TOKENS: Readonly<Record<number, string>> = { 1: "sys_", 2: "read", 3: "__do_" };

const token = (index: number): string =>
  LONG_TOKENS[index] ?? (index < 33 || index > 126 ? "?" : String.fromCharCode(index));

function compress(text: string): number[] {
  const found: number[] = [];
  for (let at = 0; at < text.length; ) {
    const long = Object.entries(LONG_TOKENS).find(([, value]) => text.startsWith(value, at));
    found.push(long === undefined ? text.charCodeAt(at) : Number(long[0]));
    at += long === undefined ? 1 : long[1].length;
  }
  return found;
}

/** @param layout which order of the parts. @param before bytes of something else in front. */
export function writeKallsyms(
  symbols: readonly WrittenSymbol[],
  base: bigint,
  layout: "addresses last" | "addresses first",
  before = 0,
): Uint8Array<ArrayBuffer> {
  const out = new Bytes().bytes(Array.from({ length: before }, (_, i) => (i * 7) & 0xff)).align(8);
  const offsets = () =>
    out
      .align(8)
      .u32(...symbols.map(({ offset }) => offset))
      .align(8)
      .u64(base);
  if (layout === "addresses first") offsets();
  out.align(8).u32(symbols.length).align(8);
  const start = out.length;
  const markers: number[] = [];
  for (const [i, { type, name }] of symbols.entries()) {
    if (i % 256 === 0) markers.push(out.length - start);
    const tokens = compress(type + name);
    if (tokens.length < 128) out.u8(tokens.length);
    else out.u8((tokens.length & 0x7f) | 0x80, tokens.length >> 7);
    out.u8(...tokens);
  }
  out
    .align(8)
    .u32(...markers)
    .align(8);
  const tokens = out.length;
  const starts = Array.from({ length: 256 }, (_, i) => {
    const at = out.length - tokens;
    out.text(token(i));
    return at;
  });
  out.align(8).u16(...starts);
  if (layout === "addresses last") offsets();
  return out.u8(...Array(64).fill(0xcc)).finish();
}
