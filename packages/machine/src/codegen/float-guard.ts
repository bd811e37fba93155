/**
 * When a native result is right, flags included: if results are rounded to nearest even, the inexact flag is set already,
 * and the magnitude is neither tiny nor beyond the format. One unsigned comparison tells, against a limit that is 0 as
 * long as the hart's state forbids it. Who calls it: the fast paths of floating point in translated code.
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
  #limit = -1;
  #limitKnown = false;
  #modeChecked = false;

  constructor(b: FunctionBuilder) {
    this.#b = b;
    if (HartState.fflags !== HartState.frm + 4) throw new Error("frm and fflags are read as one doubleword");
  }

  /** `frm` or `fflags` may have changed, or code before this may not have run. */
  forget(): void {
    this.#limitKnown = false;
    this.#modeChecked = false;
  }

  /** Pushes the limit as an i32: not 0 exactly if inexact results rounded to nearest even raise nothing that is not set. */
  pushLimit(): void {
    this.require();
    this.#b.get(this.#limit);
  }

  /** Finds the limit now, so that `pushLimit` is cheap and may follow under a condition. */
  require(): void {
    if (this.#limitKnown) return;
    const b = this.#b;
    if (this.#limit < 0) this.#limit = b.local(ValueType.i32);
    b.i32(LIMIT).i32(0);
    b.get(HART).memory(Memory.i64_load, HartState.frm).i64(MODE_AND_INEXACT).op(Op.i64_and);
    b.i64(NEAREST_AND_INEXACT).op(Op.i64_eq).op(Op.select).set(this.#limit);
    this.#limitKnown = true;
  }

  /** Calls `raise`, which leaves the code, at run time if `frm` holds no rounding mode. */
  requireValidMode(raise: () => void): void {
    if (this.#modeChecked) return;
    const b = this.#b;
    this.pushLimit();
    b.op(Op.i32_eqz).hint("unlikely").if();
    b.get(HART).memory(Memory.i32_load, HartState.frm).i32(MOST_ROUNDING).op(Op.i32_gt_u).hint("unlikely").if();
    raise();
    b.end().end();
    this.#modeChecked = true;
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
