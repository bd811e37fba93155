/** The Internet checksum. @spec RFC 1071 */

/** Adds 16-bit big-endian words to a sum; an odd byte at the end counts as the high half. Not folded. */
export function addWords(bytes: Uint8Array, sum = 0): number {
  let total = sum;
  const even = bytes.length & ~1;
  for (let i = 0; i < even; i += 2) total += (bytes[i] << 8) | bytes[i + 1];
  if (even < bytes.length) total += bytes[even] << 8;
  return total;
}

/** The 16-bit ones' complement sum of a sum of words. */
export function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x1_0000) + Math.floor(folded / 0x1_0000);
  return folded;
}

/** The checksum of bytes, to be stored in a header. */
export const checksum = (bytes: Uint8Array, sum = 0): number => ~fold(addWords(bytes, sum)) & 0xffff;

/** The sum of the pseudo-header in front of a transport protocol. @spec RFC 9293 "Checksum"; RFC 8200 "Upper-Layer Checksums" */
export const pseudoHeaderSum = (
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  length: number,
): number => addWords(destination, addWords(source, protocol + (length >>> 16) + (length & 0xffff)));
