/** Looks up a symbol in a 64-bit little-endian ELF file. @spec System V ABI "Symbol Table" */
const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;
const SHT_SYMTAB = 2;

/** The value of a symbol, or undefined if the file has no such symbol or no symbol table. */
export function symbolAddress(file: Uint8Array, name: string): number | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const sections = Number(view.getBigUint64(40, true));
  const section = (index: number) => {
    const at = sections + index * SECTION_HEADER_BYTES;
    return {
      type: view.getUint32(at + 4, true),
      offset: Number(view.getBigUint64(at + 24, true)),
      size: Number(view.getBigUint64(at + 32, true)),
      link: view.getUint32(at + 40, true),
    };
  };
  for (let index = 0; index < view.getUint16(60, true); index++) {
    const table = section(index);
    if (table.type !== SHT_SYMTAB) continue;
    const strings = section(table.link).offset;
    for (let at = table.offset; at < table.offset + table.size; at += SYMBOL_BYTES) {
      if (textAt(file, strings + view.getUint32(at, true)) === name) return Number(view.getBigUint64(at + 8, true));
    }
  }
  return undefined;
}

function textAt(file: Uint8Array, offset: number): string {
  return new TextDecoder().decode(file.subarray(offset, file.indexOf(0, offset)));
}
