// The cpio archive in its "newc" form, which the kernel unpacks as initramfs.
// Format: the kernel's "initramfs buffer format". Written by busybox/ and debian/; read back by tests and tools.
import { concat } from "./bytes.ts";
import { FormatError } from "./format-error.ts";

const MAGIC = "070701";
const HEADER_BYTES = 110;
const TRAILER = "TRAILER!!!";
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** The types of node an initramfs can hold, as the upper bits of `mode`. */
export const nodeType = {
  file: 0o100000,
  directory: 0o040000,
  link: 0o120000,
  character: 0o020000,
  block: 0o060000,
} as const;

/** One node: `mode` holds type and permissions; `content` is a file's bytes or a link's target. */
export interface CpioEntry {
  name: string;
  mode: number;
  content?: Uint8Array;
  uid?: number;
  gid?: number;
  device?: { major: number; minor: number };
}

const padded = (length: number) => (length + 3) & ~3;

function header(inode: number, entry: CpioEntry, nameBytes: number): Uint8Array {
  const fields = [
    inode,
    entry.mode,
    entry.uid ?? 0,
    entry.gid ?? 0,
    1,
    0,
    entry.content?.length ?? 0,
    0,
    0,
    entry.device?.major ?? 0,
    entry.device?.minor ?? 0,
    nameBytes,
    0,
  ];
  return encoder.encode(MAGIC + fields.map((field) => field.toString(16).padStart(8, "0").toUpperCase()).join(""));
}

/** An archive of the entries, in order; parents have to come before their children. */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const push = (bytes: Uint8Array) => {
    parts.push(bytes);
    length += bytes.length;
  };
  const align = () => push(new Uint8Array(padded(length) - length));
  for (const [index, entry] of [...entries, { name: TRAILER, mode: 0 } as CpioEntry].entries()) {
    const name = encoder.encode(`${entry.name}\0`);
    push(header(entry.name === TRAILER ? 0 : index + 1, entry, name.length));
    push(name);
    align();
    if (entry.content !== undefined) push(entry.content);
    align();
  }
  push(new Uint8Array((512 - (length % 512)) % 512));
  return concat(parts);
}

/** The entries of an archive. Throws FormatError. */
export function readCpio(bytes: Uint8Array): CpioEntry[] {
  const entries: CpioEntry[] = [];
  for (let at = 0; ; ) {
    const fields = new TextDecoder("latin1").decode(bytes.subarray(at, at + HEADER_BYTES));
    if (fields.length < HEADER_BYTES || !/^070701[0-9a-fA-F]{104}$/.test(fields)) {
      throw new FormatError(`expected a newc header at byte ${at}`);
    }
    const field = (index: number) => Number.parseInt(fields.slice(6 + 8 * index, 14 + 8 * index), 16);
    const size = field(6);
    const nameBytes = field(11);
    const content = padded(at + HEADER_BYTES + nameBytes);
    if (nameBytes === 0 || content + size > bytes.length)
      throw new FormatError(`entry at byte ${at} reaches past the end`);
    let name: string;
    try {
      name = decoder.decode(bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + nameBytes - 1));
    } catch (cause) {
      throw new FormatError(`entry at byte ${at} has a name that is not UTF-8`, { cause });
    }
    if (name === TRAILER) return entries;
    const entry: CpioEntry = { name, mode: field(1), uid: field(2), gid: field(3) };
    if (size > 0) entry.content = bytes.slice(content, content + size);
    if (field(9) + field(10) > 0) entry.device = { major: field(9), minor: field(10) };
    entries.push(entry);
    at = padded(content + size);
  }
}
