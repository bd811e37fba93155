/** Bit manipulation. @spec unprivileged "B Extension for Bit Manipulation" */
import { instruction } from "../instruction.ts";
import type { Operations } from "../operations.ts";

const one = <V, F>(o: Operations<V, F>) => o.constant(1n);
const not = <V, F>(o: Operations<V, F>, a: V) => o.xor(a, o.constant(-1n));
const sub64 = <V, F>(o: Operations<V, F>, amount: V) => o.sub(o.constant(64n), amount);

/** The low 32 bits of `a`, twice: what a 32-bit rotation turns. */
const doubled = <V, F>(o: Operations<V, F>, a: V) => o.or(o.zeroExtend(32, a), o.shiftLeft(a, o.constant(32n)));

/** All ones in each byte that is not 0. */
const orCombineBytes = <V, F>(o: Operations<V, F>, a: V) => {
  const low = o.constant(0x7f7f_7f7f_7f7f_7f7fn);
  const nonZero = o.and(o.or(o.add(o.and(a, low), low), a), not(o, low));
  return o.mul(o.shiftRightUnsigned(nonZero, o.constant(7n)), o.constant(255n));
};

/** Swaps neighbouring groups of `width` bits, of which `mask` selects the lower ones. */
const swapGroups = <V, F>(o: Operations<V, F>, a: V, width: bigint, mask: bigint) =>
  o.or(
    o.shiftLeft(o.and(a, o.constant(mask)), o.constant(width)),
    o.and(o.shiftRightUnsigned(a, o.constant(width)), o.constant(mask)),
  );

const reverseBytes = <V, F>(o: Operations<V, F>, a: V) =>
  o.rotateRight(
    swapGroups(o, swapGroups(o, a, 8n, 0x00ff_00ff_00ff_00ffn), 16n, 0x0000_ffff_0000_ffffn),
    o.constant(32n),
  );

/** Address generation. */
export const zba = [
  instruction("add.uw rd, rs1, rs2", "0000100 rs2 rs1 000 rd 0111011", (o, f) =>
    o.setX(f.rd, o.add(o.zeroExtend(32, o.x(f.rs1)), o.x(f.rs2))),
  ),
  ...[1, 2, 3].flatMap((shift) => {
    const funct3 = (shift * 2).toString(2).padStart(3, "0");
    return [
      instruction(`sh${shift}add rd, rs1, rs2`, `0010000 rs2 rs1 ${funct3} rd 0110011`, (o, f) =>
        o.setX(f.rd, o.add(o.shiftLeft(o.x(f.rs1), o.constant(BigInt(shift))), o.x(f.rs2))),
      ),
      instruction(`sh${shift}add.uw rd, rs1, rs2`, `0010000 rs2 rs1 ${funct3} rd 0111011`, (o, f) =>
        o.setX(f.rd, o.add(o.shiftLeft(o.zeroExtend(32, o.x(f.rs1)), o.constant(BigInt(shift))), o.x(f.rs2))),
      ),
    ];
  }),
  instruction("slli.uw rd, rs1, imm", "000010 uimm[5:0] rs1 001 rd 0011011", (o, f) =>
    o.setX(f.rd, o.shiftLeft(o.zeroExtend(32, o.x(f.rs1)), o.immediate(f.imm))),
  ),
];

/** Basic bit manipulation. */
export const zbb = [
  instruction("andn rd, rs1, rs2", "0100000 rs2 rs1 111 rd 0110011", (o, f) =>
    o.setX(f.rd, o.and(o.x(f.rs1), not(o, o.x(f.rs2)))),
  ),
  instruction("orn rd, rs1, rs2", "0100000 rs2 rs1 110 rd 0110011", (o, f) =>
    o.setX(f.rd, o.or(o.x(f.rs1), not(o, o.x(f.rs2)))),
  ),
  instruction("xnor rd, rs1, rs2", "0100000 rs2 rs1 100 rd 0110011", (o, f) =>
    o.setX(f.rd, not(o, o.xor(o.x(f.rs1), o.x(f.rs2)))),
  ),
  instruction("clz rd, rs1", "011000000000 rs1 001 rd 0010011", (o, f) =>
    o.setX(f.rd, o.countLeadingZeros(o.x(f.rs1))),
  ),
  instruction("clzw rd, rs1", "011000000000 rs1 001 rd 0011011", (o, f) =>
    o.setX(f.rd, o.sub(o.countLeadingZeros(o.zeroExtend(32, o.x(f.rs1))), o.constant(32n))),
  ),
  instruction("ctz rd, rs1", "011000000001 rs1 001 rd 0010011", (o, f) =>
    o.setX(f.rd, o.countTrailingZeros(o.x(f.rs1))),
  ),
  instruction("ctzw rd, rs1", "011000000001 rs1 001 rd 0011011", (o, f) =>
    o.setX(f.rd, o.countTrailingZeros(o.or(o.x(f.rs1), o.constant(1n << 32n)))),
  ),
  instruction("cpop rd, rs1", "011000000010 rs1 001 rd 0010011", (o, f) => o.setX(f.rd, o.populationCount(o.x(f.rs1)))),
  instruction("cpopw rd, rs1", "011000000010 rs1 001 rd 0011011", (o, f) =>
    o.setX(f.rd, o.populationCount(o.zeroExtend(32, o.x(f.rs1)))),
  ),
  instruction("max rd, rs1, rs2", "0000101 rs2 rs1 110 rd 0110011", (o, f) =>
    o.setX(f.rd, o.select(o.lessSigned(o.x(f.rs1), o.x(f.rs2)), o.x(f.rs2), o.x(f.rs1))),
  ),
  instruction("maxu rd, rs1, rs2", "0000101 rs2 rs1 111 rd 0110011", (o, f) =>
    o.setX(f.rd, o.select(o.lessUnsigned(o.x(f.rs1), o.x(f.rs2)), o.x(f.rs2), o.x(f.rs1))),
  ),
  instruction("min rd, rs1, rs2", "0000101 rs2 rs1 100 rd 0110011", (o, f) =>
    o.setX(f.rd, o.select(o.lessSigned(o.x(f.rs1), o.x(f.rs2)), o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("minu rd, rs1, rs2", "0000101 rs2 rs1 101 rd 0110011", (o, f) =>
    o.setX(f.rd, o.select(o.lessUnsigned(o.x(f.rs1), o.x(f.rs2)), o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("sext.b rd, rs1", "011000000100 rs1 001 rd 0010011", (o, f) => o.setX(f.rd, o.signExtend(8, o.x(f.rs1)))),
  instruction("sext.h rd, rs1", "011000000101 rs1 001 rd 0010011", (o, f) =>
    o.setX(f.rd, o.signExtend(16, o.x(f.rs1))),
  ),
  instruction("zext.h rd, rs1", "000010000000 rs1 100 rd 0111011", (o, f) =>
    o.setX(f.rd, o.zeroExtend(16, o.x(f.rs1))),
  ),
  instruction("rol rd, rs1, rs2", "0110000 rs2 rs1 001 rd 0110011", (o, f) =>
    o.setX(f.rd, o.rotateRight(o.x(f.rs1), sub64(o, o.x(f.rs2)))),
  ),
  instruction("rolw rd, rs1, rs2", "0110000 rs2 rs1 001 rd 0111011", (o, f) =>
    o.setX(f.rd, o.signExtend(32, o.rotateRight(doubled(o, o.x(f.rs1)), sub64(o, o.and(o.x(f.rs2), o.constant(31n)))))),
  ),
  instruction("ror rd, rs1, rs2", "0110000 rs2 rs1 101 rd 0110011", (o, f) =>
    o.setX(f.rd, o.rotateRight(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("rorw rd, rs1, rs2", "0110000 rs2 rs1 101 rd 0111011", (o, f) =>
    o.setX(f.rd, o.signExtend(32, o.rotateRight(doubled(o, o.x(f.rs1)), o.and(o.x(f.rs2), o.constant(31n))))),
  ),
  instruction("rori rd, rs1, imm", "011000 uimm[5:0] rs1 101 rd 0010011", (o, f) =>
    o.setX(f.rd, o.rotateRight(o.x(f.rs1), o.immediate(f.imm))),
  ),
  instruction("roriw rd, rs1, imm", "0110000 uimm[4:0] rs1 101 rd 0011011", (o, f) =>
    o.setX(f.rd, o.signExtend(32, o.rotateRight(doubled(o, o.x(f.rs1)), o.immediate(f.imm)))),
  ),
  instruction("orc.b rd, rs1", "001010000111 rs1 101 rd 0010011", (o, f) =>
    o.setX(f.rd, orCombineBytes(o, o.x(f.rs1))),
  ),
  instruction("rev8 rd, rs1", "011010111000 rs1 101 rd 0010011", (o, f) => o.setX(f.rd, reverseBytes(o, o.x(f.rs1)))),
];

/** Carry-less multiplication. */
export const zbc = [
  instruction("clmul rd, rs1, rs2", "0000101 rs2 rs1 001 rd 0110011", (o, f) =>
    o.setX(f.rd, o.carrylessMul(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("clmulh rd, rs1, rs2", "0000101 rs2 rs1 011 rd 0110011", (o, f) =>
    o.setX(f.rd, o.carrylessMulHigh(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("clmulr rd, rs1, rs2", "0000101 rs2 rs1 010 rd 0110011", (o, f) => {
    const [a, b] = [o.x(f.rs1), o.x(f.rs2)];
    const high = o.shiftLeft(o.carrylessMulHigh(a, b), one(o));
    o.setX(f.rd, o.or(high, o.shiftRightUnsigned(o.carrylessMul(a, b), o.constant(63n))));
  }),
];

/** Single-bit instructions, each with its amount in a register or an immediate. */
export const zbs = [
  instruction("bclr rd, rs1, rs2", "0100100 rs2 rs1 001 rd 0110011", (o, f) =>
    o.setX(f.rd, o.and(o.x(f.rs1), not(o, o.shiftLeft(one(o), o.x(f.rs2))))),
  ),
  instruction("bclri rd, rs1, imm", "010010 uimm[5:0] rs1 001 rd 0010011", (o, f) =>
    o.setX(f.rd, o.and(o.x(f.rs1), not(o, o.shiftLeft(one(o), o.immediate(f.imm))))),
  ),
  instruction("bext rd, rs1, rs2", "0100100 rs2 rs1 101 rd 0110011", (o, f) =>
    o.setX(f.rd, o.and(o.shiftRightUnsigned(o.x(f.rs1), o.x(f.rs2)), one(o))),
  ),
  instruction("bexti rd, rs1, imm", "010010 uimm[5:0] rs1 101 rd 0010011", (o, f) =>
    o.setX(f.rd, o.and(o.shiftRightUnsigned(o.x(f.rs1), o.immediate(f.imm)), one(o))),
  ),
  instruction("binv rd, rs1, rs2", "0110100 rs2 rs1 001 rd 0110011", (o, f) =>
    o.setX(f.rd, o.xor(o.x(f.rs1), o.shiftLeft(one(o), o.x(f.rs2)))),
  ),
  instruction("binvi rd, rs1, imm", "011010 uimm[5:0] rs1 001 rd 0010011", (o, f) =>
    o.setX(f.rd, o.xor(o.x(f.rs1), o.shiftLeft(one(o), o.immediate(f.imm)))),
  ),
  instruction("bset rd, rs1, rs2", "0010100 rs2 rs1 001 rd 0110011", (o, f) =>
    o.setX(f.rd, o.or(o.x(f.rs1), o.shiftLeft(one(o), o.x(f.rs2)))),
  ),
  instruction("bseti rd, rs1, imm", "001010 uimm[5:0] rs1 001 rd 0010011", (o, f) =>
    o.setX(f.rd, o.or(o.x(f.rs1), o.shiftLeft(one(o), o.immediate(f.imm)))),
  ),
];

/** Conditional operations. @spec unprivileged "Zicond" */
export const zicond = [
  instruction("czero.eqz rd, rs1, rs2", "0000111 rs2 rs1 101 rd 0110011", (o, f) =>
    o.setX(f.rd, o.select(o.x(f.rs2), o.x(f.rs1), o.constant(0n))),
  ),
  instruction("czero.nez rd, rs1, rs2", "0000111 rs2 rs1 111 rd 0110011", (o, f) =>
    o.setX(f.rd, o.select(o.x(f.rs2), o.constant(0n), o.x(f.rs1))),
  ),
];
