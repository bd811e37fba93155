/** Writes a device tree as a flattened blob (DTB v17). Who calls it: the boot code, for the guest's `a1`. */
import { Header, LAST_COMPATIBLE_VERSION, MAGIC, Token, VERSION } from "./format.ts";
import { encodeProperty, type TreeNode } from "./tree.ts";

/** A growing buffer of big-endian cells and padded bytes. */
class CellWriter {
  #bytes = new Uint8Array(4096);
  length = 0;

  cell(value: number): void {
    this.#room(4);
    new DataView(this.#bytes.buffer).setUint32(this.length, value);
    this.length += 4;
  }

  /** Appends bytes and pads with zeros to a whole number of cells. */
  padded(bytes: Uint8Array): void {
    this.#room(bytes.length + 4);
    this.#bytes.set(bytes, this.length);
    this.length = (this.length + bytes.length + 3) & ~3;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  #room(bytes: number): void {
    if (this.length + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + bytes));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** Property names, each stored once. */
class StringTable {
  readonly #offsets = new Map<string, number>();
  #text = "";

  offsetOf(name: string): number {
    const known = this.#offsets.get(name);
    if (known !== undefined) return known;
    const offset = this.#text.length;
    this.#offsets.set(name, offset);
    this.#text += `${name}\0`;
    return offset;
  }

  bytes(): Uint8Array {
    return new TextEncoder().encode(this.#text);
  }
}

function writeNode(node: TreeNode, structure: CellWriter, strings: StringTable): void {
  structure.cell(Token.beginNode);
  structure.padded(new TextEncoder().encode(`${node.name}\0`));
  for (const [name, value] of Object.entries(node.properties)) {
    const bytes = encodeProperty(value);
    structure.cell(Token.property);
    structure.cell(bytes.length);
    structure.cell(strings.offsetOf(name));
    structure.padded(bytes);
  }
  for (const child of node.children ?? []) writeNode(child, structure, strings);
  structure.cell(Token.endNode);
}

/** The blob for a tree: header, empty memory reservation block, structure, strings. Its length is a multiple of 8. */
export function writeDeviceTree(root: TreeNode, bootHart = 0): Uint8Array {
  const structure = new CellWriter();
  const strings = new StringTable();
  writeNode(root, structure, strings);
  structure.cell(Token.end);
  const names = strings.bytes();
  const structureOffset = Header.bytes + 16;
  const stringsOffset = structureOffset + structure.length;
  const totalSize = (stringsOffset + names.length + 7) & ~7;
  const blob = new Uint8Array(totalSize);
  const view = new DataView(blob.buffer);
  view.setUint32(Header.magic, MAGIC);
  view.setUint32(Header.totalSize, totalSize);
  view.setUint32(Header.structureOffset, structureOffset);
  view.setUint32(Header.stringsOffset, stringsOffset);
  view.setUint32(Header.reservationsOffset, Header.bytes);
  view.setUint32(Header.version, VERSION);
  view.setUint32(Header.lastCompatibleVersion, LAST_COMPATIBLE_VERSION);
  view.setUint32(Header.bootHart, bootHart);
  view.setUint32(Header.stringsSize, names.length);
  view.setUint32(Header.structureSize, structure.length);
  blob.set(structure.bytes(), structureOffset);
  blob.set(names, stringsOffset);
  return blob;
}
