/**
 * When a native result is right, flags included: if results are rounded to nearest even, the inexact flag is set already,
 * and the magnitude is neither tiny nor beyond the format. One unsigned comparison tells, against a limit in a local that
 * is 0 as long as the hart's state forbids it. Who calls it: the fast paths of floating point in translated code.
 */
import { HartState } from "../hart/layout.ts";
import { type FunctionBuilder, Memory, Op, ValueType } from "../wasm/index.ts";

/** The local with the offset of the hart's state, in every generated function. */
const HART = 0;
/** frm and the inexact flag in the doubleword that `frm` and `fflags` form. */
const MODE_AND_INEXACT = 0x1_0000_0007n;
const NEAREST_AND_INEXACT = 0x1_0000_0000n;
const MOST_ROUNDING = 4;

/**
 * The upper 32 bits of a double, or a single, shifted left by one so that the sign is gone: twice the least normal number
 * of a format, which is clear of tininess before rounding, and a distance from it that stays below the infinity of both.
 * It is odd: bit 0 says whether the limit is not 0.
 */
const LEAST = { f32: 0x0200_0000, f64: 0x0040_0000 } as const;
const LIMIT = 0xfcff_ffff;

export type NativeFormat = "f32" | "f64";

export class FloatGuard {
  readonly #b: FunctionBuilder;
  readonly #limit: number;
  #modeValid = false;

  constructor(b: FunctionBuilder) {
    if (HartState.fflags !== HartState.frm + 4) throw new Error("frm and fflags are read as one doubleword");
    this.#b = b;
    this.#limit = b.local(ValueType.i32);
  }

  /** Takes the limit from the hart's state: before a block may rely on it, and whenever others may have changed that. */
  load(): void {
    const b = this.#b;
    b.i32(LIMIT).i32(0);
    b.get(HART).memory(Memory.i64_load, HartState.frm).i64(MODE_AND_INEXACT).op(Op.i64_and);
    b.i64(NEAREST_AND_INEXACT).op(Op.i64_eq);
    b.get(HART).memory(Memory.i32_load, HartState.floatEnabled).op(Op.i32_and).op(Op.select).set(this.#limit);
    this.#modeValid = false;
  }

  /**
   * Begins a block: calls `raise`, which leaves the code, at run time if floating point is off. While the limit is 0 it is
   * taken again, for flags get set.
   */
  requireEnabled(raise: () => void): void {
    const b = this.#b;
    b.get(this.#limit).op(Op.i32_eqz).hint("unlikely").if();
    b.get(HART).memory(Memory.i32_load, HartState.floatEnabled).op(Op.i32_eqz).hint("unlikely").if();
    raise();
    b.end();
    this.load();
    b.end();
  }

  /** Calls `raise` at run time if `frm` holds no rounding mode; once for a block. */
  requireValidMode(raise: () => void): void {
    if (this.#modeValid) return;
    const b = this.#b;
    b.get(this.#limit).op(Op.i32_eqz).hint("unlikely").if();
    b.get(HART).memory(Memory.i32_load, HartState.frm).i32(MOST_ROUNDING).op(Op.i32_gt_u).hint("unlikely").if();
    raise();
    b.end().end();
    this.#modeValid = true;
  }

  /** Pushes the limit as an i32: not 0 only if inexact results that are rounded to nearest even raise nothing new. */
  pushLimit(): void {
    this.#b.get(this.#limit);
  }

  /** With a number on the stack, pushes whether it may not be taken for a result; `tinyAllowed` where such are exact. */
  pushRefused(format: NativeFormat, tinyAllowed = false): void {
    const b = this.#b;
    if (format === "f64") b.op(Op.i64_reinterpret_f64).i64(32n).op(Op.i64_shr_u).op(Op.i32_wrap_i64);
    else b.op(Op.i32_reinterpret_f32);
    b.i32(1).op(Op.i32_shl);
    if (!tinyAllowed) b.i32(LEAST[format]).op(Op.i32_sub);
    this.pushLimit();
    b.op(Op.i32_ge_u);
  }
}
