/** Sets of guest registers, as what is known of code speaks of them. */

/** Bit n of `x` is xn and of `f` is fn; there is no x0. */
export interface RegisterSet {
  readonly x: number;
  readonly f: number;
}

export const EMPTY: RegisterSet = { x: 0, f: 0 };
export const ALL: RegisterSet = { x: -1, f: -1 };

export function union(a: RegisterSet, b: RegisterSet): RegisterSet {
  const [x, f] = [a.x | b.x, a.f | b.f];
  if (x === a.x && f === a.f) return a;
  return x === b.x && f === b.f ? b : { x, f };
}

export const minus = (a: RegisterSet, b: RegisterSet): RegisterSet =>
  intersects(a, b) ? { x: a.x & ~b.x, f: a.f & ~b.f } : a;
export const both = (a: RegisterSet, b: RegisterSet): RegisterSet => ({ x: a.x & b.x, f: a.f & b.f });
export const intersects = (a: RegisterSet, b: RegisterSet): boolean => (a.x & b.x) !== 0 || (a.f & b.f) !== 0;
export const same = (a: RegisterSet, b: RegisterSet): boolean => a.x === b.x && a.f === b.f;

/** How many registers there are in a set. */
export function bitCount({ x, f }: RegisterSet): number {
  let count = 0;
  for (const part of [x, f]) for (let rest = part; rest !== 0; rest &= rest - 1) count++;
  return count;
}
