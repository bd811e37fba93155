/** Sign injection of a number into itself, which is how moves, negations and magnitudes of floating-point data are written. */
import { Op } from "../wasm/index.ts";
import { Expression } from "./expression.ts";

const SIGNS = [0x8000_0000n, -0x8000_0000_0000_0000n];

/** `value` and the constant of a bitwise operation on it. */
function withConstant(expression: Expression, opcode: number): { value: Expression; constant: bigint } | undefined {
  const [value, constant] = expression.operands;
  if (expression.opcode !== opcode || value === undefined || constant?.kind !== "constant") return undefined;
  return { value, constant: constant.value };
}

/** What is simpler than `a` or `b` where they are a magnitude and a sign of the same number, or its opposite sign. */
export function joinedSign(a: Expression, b: Expression): Expression | undefined {
  const [magnitude, sign] = [withConstant(a, Op.i64_and), withConstant(b, Op.i64_and)];
  if (magnitude === undefined || sign === undefined || magnitude.constant !== ~sign.constant) return undefined;
  if (magnitude.value.isSame(sign.value)) return magnitude.value;
  const opposite = withConstant(sign.value, Op.i64_xor);
  if (opposite?.constant !== sign.constant || !opposite.value.isSame(magnitude.value)) return undefined;
  return sign.value;
}

/** What is simpler than `a` exclusive-or `b` where `b` is the sign of `a`. */
export function clearedSign(a: Expression, b: Expression): Expression | undefined {
  const sign = withConstant(b, Op.i64_and);
  if (sign === undefined || !SIGNS.includes(sign.constant) || !sign.value.isSame(a)) return undefined;
  return Expression.operation(Op.i64_and, a, Expression.constant(~sign.constant));
}
