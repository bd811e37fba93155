// The ar archive, outer shell of a .deb: a magic line, then members with 60-byte headers, padded to even offsets.
// Format: deb(5), ar(5). Read by formats/deb.ts; written when packages are handed to the builder guest.
import { concat } from "./bytes.ts";
import { FormatError } from "./format-error.ts";

const MAGIC = "!<arch>\n";
const HEADER_BYTES = 60;
const ascii = new TextDecoder("latin1");
const encoder = new TextEncoder();

/** A member and where its content lies in the archive, in bytes. */
export interface ArMember {
  name: string;
  offset: number;
  size: number;
}

/** Something that can be read at any place. */
export interface RandomAccess {
  readonly size: number;
  /** Exactly `length` bytes at `offset`, fewer at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Lists the members of an archive. Throws FormatError. */
export async function readAr(file: RandomAccess): Promise<ArMember[]> {
  if (ascii.decode(await file.read(0, MAGIC.length)) !== MAGIC) throw new FormatError("expected an ar archive");
  const members: ArMember[] = [];
  for (let at = MAGIC.length; at < file.size; ) {
    const header = ascii.decode(await file.read(at, HEADER_BYTES));
    const size = Number(header.slice(48, 58).trim());
    if (header.length < HEADER_BYTES || header.slice(58) !== "`\n" || !/^\d+ *$/.test(header.slice(48, 58))) {
      throw new FormatError(`expected an ar member's header at byte ${at}`);
    }
    const offset = at + HEADER_BYTES;
    if (offset + size > file.size) throw new FormatError(`ar member at byte ${at} reaches past the end`);
    members.push({ name: header.slice(0, 16).trimEnd().replace(/\/$/, ""), offset, size });
    at = offset + size + (size % 2);
  }
  return members;
}

/** The header of a member of `size` bytes; after an odd-sized content one newline of padding is due. */
export function arHeader(name: string, size: number): Uint8Array {
  if (encoder.encode(name).length > 15) throw new RangeError(`ar member name too long: ${name}`);
  const fields = [name.padEnd(16), "0".padEnd(12), "0".padEnd(6), "0".padEnd(6), "100644".padEnd(8)];
  return encoder.encode(`${fields.join("")}${String(size).padEnd(10)}\`\n`);
}

/** The bytes an archive starts with. */
export const arMagic: Uint8Array = encoder.encode(MAGIC);

/** A whole archive in memory. */
export function writeAr(members: readonly { name: string; content: Uint8Array }[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [arMagic];
  for (const { name, content } of members) {
    parts.push(arHeader(name, content.length), content);
    if (content.length % 2 === 1) parts.push(encoder.encode("\n"));
  }
  return concat(parts);
}
