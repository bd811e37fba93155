/**
 * Reads a flattened device tree back into nodes with raw property bytes. Who calls it: tests, and tools that show
 * what a guest was given. Accepts versions 16 and 17; anything malformed is `undefined`.
 */
import { Header, LAST_COMPATIBLE_VERSION, MAGIC, Token, VERSION } from "./format.ts";

export interface RawNode {
  readonly name: string;
  readonly properties: ReadonlyMap<string, Uint8Array>;
  readonly children: readonly RawNode[];
}

interface OpenNode {
  name: string;
  properties: Map<string, Uint8Array>;
  children: RawNode[];
}

/** NUL-terminated text at an offset, or undefined if it does not end inside the bytes. */
function textAt(bytes: Uint8Array, offset: number): string | undefined {
  const end = bytes.indexOf(0, offset);
  return offset > bytes.length || end < 0 ? undefined : new TextDecoder().decode(bytes.subarray(offset, end));
}

/** The header's blocks, or undefined if it is not a device tree or a block lies outside the bytes. */
function blocks(blob: Uint8Array): { structure: Uint8Array; strings: Uint8Array } | undefined {
  if (blob.length < Header.bytes) return undefined;
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const field = (offset: number) => view.getUint32(offset);
  if (field(Header.magic) !== MAGIC || field(Header.totalSize) > blob.length) return undefined;
  if (field(Header.lastCompatibleVersion) > VERSION || field(Header.version) < LAST_COMPATIBLE_VERSION)
    return undefined;
  const block = (offset: number, size: number) =>
    offset + size <= field(Header.totalSize) ? blob.subarray(offset, offset + size) : undefined;
  const structure = block(field(Header.structureOffset), field(Header.structureSize));
  const strings = block(field(Header.stringsOffset), field(Header.stringsSize));
  return structure && strings && { structure, strings };
}

/** The root node, or undefined if the blob is malformed. */
export function readDeviceTree(blob: Uint8Array): RawNode | undefined {
  const found = blocks(blob);
  if (found === undefined) return undefined;
  const { structure, strings } = found;
  const view = new DataView(structure.buffer, structure.byteOffset, structure.length);
  const open: OpenNode[] = [{ name: "", properties: new Map(), children: [] }];
  let at = 0;
  while (at + 4 <= structure.length) {
    const token = view.getUint32(at);
    const top = open.at(-1)!;
    at += 4;
    if (token === Token.beginNode) {
      const name = textAt(structure, at);
      if (name === undefined) return undefined;
      open.push({ name, properties: new Map(), children: [] });
      at = (at + new TextEncoder().encode(name).length + 4) & ~3;
    } else if (token === Token.endNode) {
      if (open.length < 2) return undefined;
      open.pop();
      open.at(-1)!.children.push(top);
    } else if (token === Token.property) {
      if (at + 8 > structure.length) return undefined;
      const length = view.getUint32(at);
      const name = textAt(strings, view.getUint32(at + 4));
      if (name === undefined || at + 8 + length > structure.length) return undefined;
      top.properties.set(name, structure.slice(at + 8, at + 8 + length));
      at = (at + 8 + length + 3) & ~3;
    } else if (token === Token.end) {
      return open.length === 1 && top.children.length === 1 ? top.children[0] : undefined;
    } else if (token !== Token.nop) {
      return undefined;
    }
  }
  return undefined;
}

/** The node at a path such as `/cpus/cpu@0`, or undefined. */
export function nodeAt(root: RawNode, path: string): RawNode | undefined {
  let node: RawNode | undefined = root;
  for (const name of path.split("/").filter(Boolean)) node = node?.children.find((child) => child.name === name);
  return node;
}

/** A property as big-endian cells, or undefined if the node lacks it. */
export function cellsOf(node: RawNode | undefined, name: string): number[] | undefined {
  const bytes = node?.properties.get(name);
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length >> 2 }, (_, index) => view.getUint32(index * 4));
}

/** A property as its NUL-terminated strings, or undefined if the node lacks it. */
export function stringsOf(node: RawNode | undefined, name: string): string[] | undefined {
  const bytes = node?.properties.get(name);
  return bytes && new TextDecoder().decode(bytes).split("\0").slice(0, -1);
}
