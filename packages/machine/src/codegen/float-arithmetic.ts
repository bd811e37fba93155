/** Fast paths of sums, products, quotients, roots, fused multiply-add, minimum and maximum in translated code. */
import { isMultiplyAddFused, pushRelaxedFma } from "../float/fused.ts";
import { Op } from "../wasm/index.ts";
import type { Expression } from "./expression.ts";
import type { NativeFormat } from "./float-guard.ts";
import type { FloatPath } from "./float-path.ts";

/** Tiny sums are exact, and so are roots, which are tiny only if they are 0. */
export function arithmetic(
  path: FloatPath,
  format: NativeFormat,
  operation: "add" | "sub" | "mul" | "div" | "sqrt",
): Expression {
  const value = path.temporary(format);
  path.operands(format).op(Op[`${format}_${operation}`]).tee(value);
  path.guard.pushRefused(format, operation !== "mul" && operation !== "div");
  path.orUnboxed(format);
  return path.number(format, value);
}

let fused: boolean | undefined;

/** Only with the host's instruction: without it the exact function is as fast. */
export function multiplyAdd(path: FloatPath, format: NativeFormat): Expression | undefined {
  fused ??= isMultiplyAddFused();
  if (!fused) return undefined;
  const value = path.temporary(format);
  pushRelaxedFma(path.b, format, (index) => path.operand(format, index));
  path.b.tee(value);
  path.guard.pushRefused(format);
  path.orUnboxed(format);
  return path.number(format, value);
}

/** WebAssembly and RISC-V agree on numbers, signs of zeros included. */
export function extremum(path: FloatPath, format: NativeFormat, operation: "min" | "max"): Expression {
  const { b } = path;
  const value = path.temporary(format);
  path.operands(format).op(Op[`${format}_${operation}`]).tee(value);
  b.get(value).op(Op[`${format}_ne`]);
  path.orUnboxed(format);
  return path.number(format, value);
}
