/**
 * Arithmetic on words: RISC-V keeps 32-bit values sign-extended, and on i32 the host needs no extensions and finds rotations.
 * Who calls it: `WasmOperations`, where a value is extended or combined.
 */
import { Op } from "../wasm/index.ts";
import { Expression } from "./expression.ts";

/** Operators whose low half depends on nothing but the low halves of their operands. */
const narrow: Readonly<Record<number, number>> = {
  [Op.i64_add]: Op.i32_add,
  [Op.i64_sub]: Op.i32_sub,
  [Op.i64_mul]: Op.i32_mul,
  [Op.i64_and]: Op.i32_and,
  [Op.i64_or]: Op.i32_or,
  [Op.i64_xor]: Op.i32_xor,
};

const comparisons: Readonly<Record<number, number>> = {
  [Op.i64_eq]: Op.i32_eq,
  [Op.i64_lt_s]: Op.i32_lt_s,
  [Op.i64_lt_u]: Op.i32_lt_u,
};

/** The low half of a value, sign-extended. */
export function signExtendedWord(value: Expression): Expression {
  if (value.isWord) return value;
  const [first, second] = value.operands;
  if (first !== undefined && second !== undefined) {
    const opcode = narrow[value.opcode];
    if (opcode !== undefined) return Expression.word(opcode, first, second);
    const amount = wordAmount(second);
    if (amount !== undefined && value.opcode === Op.i64_shl) return Expression.word(Op.i32_shl, first, amount);
    if (amount !== undefined && value.opcode === Op.i64_shr_u && first.isZeroExtendedWord)
      return Expression.word(Op.i32_shr_u, first, amount);
  }
  return Expression.word(0, value);
}

/** A word shifted right arithmetically, or undefined where it is not known to be one. */
export function wordShiftedRight(value: Expression, by: Expression): Expression | undefined {
  const amount = value.kind === "word" ? wordAmount(by) : undefined;
  return amount === undefined ? undefined : Expression.word(Op.i32_shr_s, value, amount);
}

/** `and`, `or` or `xor` of words, at least one of which is computed as such. */
export function combinedWords(opcode: number, a: Expression, b: Expression): Expression | undefined {
  return areWords(a, b) ? Expression.word(narrow[opcode]!, a, b) : undefined;
}

/** A comparison of words: sign extension keeps the order, also of unsigned values. */
export function comparedWords(opcode: number, a: Expression, b: Expression): Expression | undefined {
  return areWords(a, b) ? Expression.condition(comparisons[opcode]!, a, b) : undefined;
}

const areWords = (a: Expression, b: Expression): boolean =>
  a.isWord && b.isWord && (a.kind === "word" || b.kind === "word");

/** A shift amount below 32, as it is or before its mask, which an i32 shift applies itself. */
function wordAmount(amount: Expression): Expression | undefined {
  if (amount.kind === "constant") return amount.value >= 0n && amount.value < 32n ? amount : undefined;
  return amount.opcode === Op.i64_and && amount.operands[1]!.isConstant(31n) ? amount.operands[0] : undefined;
}
