/** Rounding modes and exception flags as `fcsr` encodes them. @spec unprivileged "Floating-Point Control and Status Register" */

/** Round to nearest (ties to even), towards zero, down, up, to nearest (ties to the larger magnitude). */
export const Rounding = { rne: 0, rtz: 1, rdn: 2, rup: 3, rmm: 4 } as const;
export type Rounding = (typeof Rounding)[keyof typeof Rounding];
/** In an instruction's rm field: the mode is in `frm`. */
export const DYNAMIC_ROUNDING = 7;

export const Flag = { inexact: 1, underflow: 2, overflow: 4, divideByZero: 8, invalid: 16 } as const;

/** Bits of a result and the flags that its operation raises. */
export interface FloatResult {
  readonly value: bigint;
  readonly flags: number;
}

export const result = (value: bigint, flags = 0): FloatResult => ({ value, flags });
