/** A device tree as data, and how its property values are encoded. @spec devicetree "Property Values" */

/** `true` is an empty property; numbers are 32-bit cells; a list of strings is written back to back. */
export type Property = true | string | readonly string[] | readonly number[] | Uint8Array;

export interface TreeNode {
  /** `name` or `name@unit-address`; empty for the root. */
  readonly name: string;
  readonly properties: Readonly<Record<string, Property>>;
  readonly children?: readonly TreeNode[];
}

/** A 64-bit quantity (below 2^53) as two cells, high one first. */
export const cells64 = (value: number): [number, number] => [Math.floor(value / 2 ** 32), value % 2 ** 32];

/** Value of `reg` with two address and two size cells. */
export const reg = (base: number, size: number): number[] => [...cells64(base), ...cells64(size)];

/** A property's bytes: strings end in NUL, cells are big-endian. */
export function encodeProperty(value: Property): Uint8Array {
  if (value === true) return new Uint8Array(0);
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return new TextEncoder().encode(`${value}\0`);
  if (value.every((item) => typeof item === "string"))
    return new TextEncoder().encode(value.map((s) => `${s}\0`).join(""));
  const bytes = new Uint8Array(value.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, cell] of value.entries()) view.setUint32(index * 4, Number(cell));
  return bytes;
}
