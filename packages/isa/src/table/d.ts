/** Double precision. @spec unprivileged "D Extension for Double-Precision Floating-Point" */
import { instruction } from "../instruction.ts";

const SIGN = 0x8000_0000_0000_0000n;

export const d = [
  instruction("fld fd, imm(rs1)", "imm[11:0] rs1 011 rd 0000111", (o, f) =>
    o.setF(f.rd, o.load(8, "unsigned", o.add(o.x(f.rs1), o.immediate(f.imm)))),
  ),
  instruction("fsd fs2, imm(rs1)", "imm[11:5] rs2 rs1 011 imm[4:0] 0100111", (o, f) =>
    o.store(8, o.add(o.x(f.rs1), o.immediate(f.imm)), o.f(f.rs2)),
  ),

  instruction("fmadd.d fd, fs1, fs2, fs3, rm", "rs3 01 rs2 rs1 rm rd 1000011", (o, f) =>
    o.setF(f.rd, o.float("fma.f64", f.rm, o.f(f.rs1), o.f(f.rs2), o.f(f.rs3))),
  ),
  instruction("fmsub.d fd, fs1, fs2, fs3, rm", "rs3 01 rs2 rs1 rm rd 1000111", (o, f) =>
    o.setF(f.rd, o.float("fma.f64", f.rm, o.f(f.rs1), o.f(f.rs2), o.xor(o.f(f.rs3), o.constant(SIGN)))),
  ),
  instruction("fnmsub.d fd, fs1, fs2, fs3, rm", "rs3 01 rs2 rs1 rm rd 1001011", (o, f) =>
    o.setF(f.rd, o.float("fma.f64", f.rm, o.xor(o.f(f.rs1), o.constant(SIGN)), o.f(f.rs2), o.f(f.rs3))),
  ),
  instruction("fnmadd.d fd, fs1, fs2, fs3, rm", "rs3 01 rs2 rs1 rm rd 1001111", (o, f) =>
    o.setF(
      f.rd,
      o.float("fma.f64", f.rm, o.xor(o.f(f.rs1), o.constant(SIGN)), o.f(f.rs2), o.xor(o.f(f.rs3), o.constant(SIGN))),
    ),
  ),

  instruction("fadd.d fd, fs1, fs2, rm", "0000001 rs2 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("add.f64", f.rm, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fsub.d fd, fs1, fs2, rm", "0000101 rs2 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("sub.f64", f.rm, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fmul.d fd, fs1, fs2, rm", "0001001 rs2 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("mul.f64", f.rm, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fdiv.d fd, fs1, fs2, rm", "0001101 rs2 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("div.f64", f.rm, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fsqrt.d fd, fs1, rm", "0101101 00000 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("sqrt.f64", f.rm, o.f(f.rs1))),
  ),

  instruction("fsgnj.d fd, fs1, fs2", "0010001 rs2 rs1 000 rd 1010011", (o, f) =>
    o.setF(f.rd, o.or(o.and(o.f(f.rs1), o.constant(~SIGN)), o.and(o.f(f.rs2), o.constant(SIGN)))),
  ),
  instruction("fsgnjn.d fd, fs1, fs2", "0010001 rs2 rs1 001 rd 1010011", (o, f) =>
    o.setF(
      f.rd,
      o.or(o.and(o.f(f.rs1), o.constant(~SIGN)), o.and(o.xor(o.f(f.rs2), o.constant(SIGN)), o.constant(SIGN))),
    ),
  ),
  instruction("fsgnjx.d fd, fs1, fs2", "0010001 rs2 rs1 010 rd 1010011", (o, f) =>
    o.setF(f.rd, o.xor(o.f(f.rs1), o.and(o.f(f.rs2), o.constant(SIGN)))),
  ),
  instruction("fmin.d fd, fs1, fs2", "0010101 rs2 rs1 000 rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("min.f64", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fmax.d fd, fs1, fs2", "0010101 rs2 rs1 001 rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("max.f64", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),

  instruction("feq.d rd, fs1, fs2", "1010001 rs2 rs1 010 rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("eq.f64", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("flt.d rd, fs1, fs2", "1010001 rs2 rs1 001 rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("lt.f64", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fle.d rd, fs1, fs2", "1010001 rs2 rs1 000 rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("le.f64", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fclass.d rd, fs1", "1110001 00000 rs1 001 rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("class.f64", undefined, o.f(f.rs1))),
  ),

  instruction("fcvt.w.d rd, fs1, rm", "1100001 00000 rs1 rm rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("convert.i32.f64", f.rm, o.f(f.rs1))),
  ),
  instruction("fcvt.wu.d rd, fs1, rm", "1100001 00001 rs1 rm rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("convert.u32.f64", f.rm, o.f(f.rs1))),
  ),
  instruction("fcvt.l.d rd, fs1, rm", "1100001 00010 rs1 rm rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("convert.i64.f64", f.rm, o.f(f.rs1))),
  ),
  instruction("fcvt.lu.d rd, fs1, rm", "1100001 00011 rs1 rm rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("convert.u64.f64", f.rm, o.f(f.rs1))),
  ),
  instruction("fcvt.d.w fd, rs1, rm", "1101001 00000 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("convert.f64.i32", f.rm, o.x(f.rs1))),
  ),
  instruction("fcvt.d.wu fd, rs1, rm", "1101001 00001 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("convert.f64.u32", f.rm, o.x(f.rs1))),
  ),
  instruction("fcvt.d.l fd, rs1, rm", "1101001 00010 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("convert.f64.i64", f.rm, o.x(f.rs1))),
  ),
  instruction("fcvt.d.lu fd, rs1, rm", "1101001 00011 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("convert.f64.u64", f.rm, o.x(f.rs1))),
  ),
  instruction("fcvt.s.d fd, fs1, rm", "0100000 00001 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("convert.f32.f64", f.rm, o.f(f.rs1))),
  ),
  instruction("fcvt.d.s fd, fs1, rm", "0100001 00000 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("convert.f64.f32", f.rm, o.f(f.rs1))),
  ),

  instruction("fmv.x.d rd, fs1", "1110001 00000 rs1 000 rd 1010011", (o, f) => o.setX(f.rd, o.f(f.rs1))),
  instruction("fmv.d.x fd, rs1", "1111001 00000 rs1 000 rd 1010011", (o, f) => o.setF(f.rd, o.x(f.rs1))),
];
