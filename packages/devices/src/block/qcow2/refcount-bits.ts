/** Refcounts of each width in a refcount block. @spec qcow2 "Host cluster management" */

/** A refcount; widths below a byte fill it from its lowest bits. @param order width is 2 to this power, in bits. */
export function refcountAt(block: DataView, index: number, order: number): number {
  switch (order) {
    case 3:
      return block.getUint8(index);
    case 4:
      return block.getUint16(index * 2);
    case 5:
      return block.getUint32(index * 4);
    case 6:
      return block.getUint32(index * 8) * 2 ** 32 + block.getUint32(index * 8 + 4);
    default: {
      const bit = index << order;
      return (block.getUint8(bit >> 3) >> (bit & 7)) & mostRefcount(order);
    }
  }
}

export function setRefcount(block: DataView, index: number, order: number, value: number): void {
  if (order === 3) block.setUint8(index, value);
  else if (order === 4) block.setUint16(index * 2, value);
  else if (order === 5) block.setUint32(index * 4, value);
  else if (order === 6) {
    block.setUint32(index * 8, Math.floor(value / 2 ** 32));
    block.setUint32(index * 8 + 4, value >>> 0);
  } else {
    const bit = index << order;
    const others = block.getUint8(bit >> 3) & ~(mostRefcount(order) << (bit & 7));
    block.setUint8(bit >> 3, others | (value << (bit & 7)));
  }
}

/** The largest refcount of a width; of 64 bits as much as a number holds exactly. */
export const mostRefcount = (order: number): number => Math.min(2 ** (2 ** order) - 1, Number.MAX_SAFE_INTEGER);

/** Byte where the refcount is, and how many bytes it takes. */
export const refcountBytes = (index: number, order: number): { at: number; length: number } => {
  const at = Math.floor((index * 2 ** order) / 8);
  return { at, length: Math.max(1, 2 ** order / 8) };
};
