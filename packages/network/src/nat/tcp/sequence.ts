/** Sequence numbers of TCP: unsigned 32-bit numbers that wrap. @spec RFC 9293 "Sequence Numbers" */

export const advance = (sequence: number, count: number): number => (sequence + count) >>> 0;

/** How far `a` is ahead of `b`; negative when it is behind. */
export const ahead = (a: number, b: number): number => (a - b) | 0;
