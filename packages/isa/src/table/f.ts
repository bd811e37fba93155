/** Single precision. @spec unprivileged "F Extension for Single-Precision Floating-Point" */
import { instruction } from "../instruction.ts";
import type { Operations } from "../operations.ts";

const SIGN = 0x8000_0000n;
/** The upper half of a register that holds a single-precision number. */
const BOX = 0xffff_ffff_0000_0000n;

/** A register as a boxed single-precision number: the canonical NaN if it is not boxed. Operations of `float` do this themselves. */
const single = <Value, Field>(o: Operations<Value, Field>, register: Value): Value =>
  o.select(o.lessUnsigned(register, o.constant(BOX)), o.constant(BOX | 0x7fc0_0000n), register);

export const f = [
  instruction("flw fd, imm(rs1)", "imm[11:0] rs1 010 rd 0000111", (o, f) =>
    o.setF(f.rd, o.or(o.load(4, "unsigned", o.add(o.x(f.rs1), o.immediate(f.imm))), o.constant(BOX))),
  ),
  instruction("fsw fs2, imm(rs1)", "imm[11:5] rs2 rs1 010 imm[4:0] 0100111", (o, f) =>
    o.store(4, o.add(o.x(f.rs1), o.immediate(f.imm)), o.f(f.rs2)),
  ),

  instruction("fmadd.s fd, fs1, fs2, fs3, rm", "rs3 00 rs2 rs1 rm rd 1000011", (o, f) =>
    o.setF(f.rd, o.float("fma.f32", f.rm, o.f(f.rs1), o.f(f.rs2), o.f(f.rs3))),
  ),
  instruction("fmsub.s fd, fs1, fs2, fs3, rm", "rs3 00 rs2 rs1 rm rd 1000111", (o, f) =>
    o.setF(f.rd, o.float("fma.f32", f.rm, o.f(f.rs1), o.f(f.rs2), o.xor(o.f(f.rs3), o.constant(SIGN)))),
  ),
  instruction("fnmsub.s fd, fs1, fs2, fs3, rm", "rs3 00 rs2 rs1 rm rd 1001011", (o, f) =>
    o.setF(f.rd, o.float("fma.f32", f.rm, o.xor(o.f(f.rs1), o.constant(SIGN)), o.f(f.rs2), o.f(f.rs3))),
  ),
  instruction("fnmadd.s fd, fs1, fs2, fs3, rm", "rs3 00 rs2 rs1 rm rd 1001111", (o, f) =>
    o.setF(
      f.rd,
      o.float("fma.f32", f.rm, o.xor(o.f(f.rs1), o.constant(SIGN)), o.f(f.rs2), o.xor(o.f(f.rs3), o.constant(SIGN))),
    ),
  ),

  instruction("fadd.s fd, fs1, fs2, rm", "0000000 rs2 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("add.f32", f.rm, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fsub.s fd, fs1, fs2, rm", "0000100 rs2 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("sub.f32", f.rm, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fmul.s fd, fs1, fs2, rm", "0001000 rs2 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("mul.f32", f.rm, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fdiv.s fd, fs1, fs2, rm", "0001100 rs2 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("div.f32", f.rm, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fsqrt.s fd, fs1, rm", "0101100 00000 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("sqrt.f32", f.rm, o.f(f.rs1))),
  ),

  instruction("fsgnj.s fd, fs1, fs2", "0010000 rs2 rs1 000 rd 1010011", (o, f) =>
    o.setF(f.rd, o.or(o.and(single(o, o.f(f.rs1)), o.constant(~SIGN)), o.and(single(o, o.f(f.rs2)), o.constant(SIGN)))),
  ),
  instruction("fsgnjn.s fd, fs1, fs2", "0010000 rs2 rs1 001 rd 1010011", (o, f) =>
    o.setF(
      f.rd,
      o.or(
        o.and(single(o, o.f(f.rs1)), o.constant(~SIGN)),
        o.and(o.xor(single(o, o.f(f.rs2)), o.constant(SIGN)), o.constant(SIGN)),
      ),
    ),
  ),
  instruction("fsgnjx.s fd, fs1, fs2", "0010000 rs2 rs1 010 rd 1010011", (o, f) =>
    o.setF(f.rd, o.xor(single(o, o.f(f.rs1)), o.and(single(o, o.f(f.rs2)), o.constant(SIGN)))),
  ),
  instruction("fmin.s fd, fs1, fs2", "0010100 rs2 rs1 000 rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("min.f32", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fmax.s fd, fs1, fs2", "0010100 rs2 rs1 001 rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("max.f32", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),

  instruction("feq.s rd, fs1, fs2", "1010000 rs2 rs1 010 rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("eq.f32", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("flt.s rd, fs1, fs2", "1010000 rs2 rs1 001 rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("lt.f32", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fle.s rd, fs1, fs2", "1010000 rs2 rs1 000 rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("le.f32", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fclass.s rd, fs1", "1110000 00000 rs1 001 rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("class.f32", undefined, o.f(f.rs1))),
  ),

  instruction("fcvt.w.s rd, fs1, rm", "1100000 00000 rs1 rm rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("convert.i32.f32", f.rm, o.f(f.rs1))),
  ),
  instruction("fcvt.wu.s rd, fs1, rm", "1100000 00001 rs1 rm rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("convert.u32.f32", f.rm, o.f(f.rs1))),
  ),
  instruction("fcvt.l.s rd, fs1, rm", "1100000 00010 rs1 rm rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("convert.i64.f32", f.rm, o.f(f.rs1))),
  ),
  instruction("fcvt.lu.s rd, fs1, rm", "1100000 00011 rs1 rm rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("convert.u64.f32", f.rm, o.f(f.rs1))),
  ),
  instruction("fcvt.s.w fd, rs1, rm", "1101000 00000 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("convert.f32.i32", f.rm, o.x(f.rs1))),
  ),
  instruction("fcvt.s.wu fd, rs1, rm", "1101000 00001 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("convert.f32.u32", f.rm, o.x(f.rs1))),
  ),
  instruction("fcvt.s.l fd, rs1, rm", "1101000 00010 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("convert.f32.i64", f.rm, o.x(f.rs1))),
  ),
  instruction("fcvt.s.lu fd, rs1, rm", "1101000 00011 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("convert.f32.u64", f.rm, o.x(f.rs1))),
  ),

  instruction("fmv.x.w rd, fs1", "1110000 00000 rs1 000 rd 1010011", (o, f) =>
    o.setX(f.rd, o.signExtend(32, o.f(f.rs1))),
  ),
  instruction("fmv.w.x fd, rs1", "1111000 00000 rs1 000 rd 1010011", (o, f) =>
    o.setF(f.rd, o.or(o.x(f.rs1), o.constant(BOX))),
  ),
];
