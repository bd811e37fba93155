// What a kernel module says of itself: the `.modinfo` section of its ELF file.
// Specification: ELF-64 "Sections"; the kernel's include/linux/moduleinfo.h. Called by kernel/modules.ts.
import { FormatError } from "../formats/format-error.ts";

const SECTION_HEADER_BYTES = 64;
const latin1 = new TextDecoder("latin1");

/** A module's own account: what has to be loaded before it, and the names it is asked for by. */
export interface Modinfo {
  name: string;
  depends: string[];
  aliases: string[];
  /** What has to be loaded before, by alias: not symbols but services it uses. */
  softBefore: string[];
}

function section(elf: Uint8Array, wanted: string): Uint8Array {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  if (elf.length < SECTION_HEADER_BYTES || view.getUint32(0) !== 0x7f454c46 || elf[4] !== 2 || elf[5] !== 1) {
    throw new FormatError("expected a 64-bit little-endian ELF file");
  }
  const [table, entryBytes, count, namesIndex] = [
    Number(view.getBigUint64(0x28, true)),
    view.getUint16(0x3a, true),
    view.getUint16(0x3c, true),
    view.getUint16(0x3e, true),
  ];
  if (entryBytes !== SECTION_HEADER_BYTES || namesIndex >= count || table + count * entryBytes > elf.length) {
    throw new FormatError("an ELF file's section table reaches past its end");
  }
  const bounds = (index: number) => {
    const at = table + index * entryBytes;
    return [Number(view.getBigUint64(at + 0x18, true)), Number(view.getBigUint64(at + 0x20, true))] as const;
  };
  const [namesStart, namesSize] = bounds(namesIndex);
  const names = latin1.decode(elf.subarray(namesStart, namesStart + namesSize));
  for (let index = 0; index < count; index++) {
    const nameAt = view.getUint32(table + index * entryBytes, true);
    if (names.slice(nameAt, names.indexOf("\0", nameAt)) !== wanted) continue;
    const [start, size] = bounds(index);
    if (start + size > elf.length) throw new FormatError(`section ${wanted} reaches past the end of its file`);
    return elf.subarray(start, start + size);
  }
  throw new FormatError(`an ELF file without ${wanted}`);
}

/** File names spell `-` where the kernel spells `_`; the kernel's spelling is used throughout. */
export const moduleName = (name: string): string => name.replaceAll("-", "_");

/** Reads a decompressed module. Throws FormatError. */
export function readModinfo(elf: Uint8Array): Modinfo {
  const values = new Map<string, string[]>();
  for (const line of latin1.decode(section(elf, ".modinfo")).split("\0")) {
    const equals = line.indexOf("=");
    if (equals < 1) continue;
    const key = line.slice(0, equals);
    values.set(key, [...(values.get(key) ?? []), line.slice(equals + 1)]);
  }
  const all = (key: string) => values.get(key) ?? [];
  return {
    name: moduleName(all("name")[0] ?? ""),
    depends: all("depends")
      .flatMap((list) => list.split(","))
      .filter(Boolean)
      .map(moduleName),
    aliases: all("alias"),
    softBefore: all("softdep").flatMap((text) =>
      (/\bpre:(.*?)(?:\bpost:|$)/.exec(text)?.[1] ?? "").split(/\s+/).filter(Boolean),
    ),
  };
}
