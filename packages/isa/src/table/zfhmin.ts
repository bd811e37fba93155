/** Half precision as a storage format. @spec unprivileged "Zfhmin Standard Extension for Minimal Half-Precision Floating-Point" */
import { instruction } from "../instruction.ts";

/** The upper bits of a register that holds a half-precision number. */
const BOX = 0xffff_ffff_ffff_0000n;

export const zfhmin = [
  instruction("flh fd, imm(rs1)", "imm[11:0] rs1 001 rd 0000111", (o, f) =>
    o.setF(f.rd, o.or(o.load(2, "unsigned", o.add(o.x(f.rs1), o.immediate(f.imm))), o.constant(BOX))),
  ),
  instruction("fsh fs2, imm(rs1)", "imm[11:5] rs2 rs1 001 imm[4:0] 0100111", (o, f) =>
    o.store(2, o.add(o.x(f.rs1), o.immediate(f.imm)), o.f(f.rs2)),
  ),
  instruction("fmv.x.h rd, fs1", "1110010 00000 rs1 000 rd 1010011", (o, f) =>
    o.setX(f.rd, o.signExtend(16, o.f(f.rs1))),
  ),
  instruction("fmv.h.x fd, rs1", "1111010 00000 rs1 000 rd 1010011", (o, f) =>
    o.setF(f.rd, o.or(o.x(f.rs1), o.constant(BOX))),
  ),

  instruction("fcvt.s.h fd, fs1, rm", "0100000 00010 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("convert.f32.f16", f.rm, o.f(f.rs1))),
  ),
  instruction("fcvt.h.s fd, fs1, rm", "0100010 00000 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("convert.f16.f32", f.rm, o.f(f.rs1))),
  ),
  instruction("fcvt.d.h fd, fs1, rm", "0100001 00010 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("convert.f64.f16", f.rm, o.f(f.rs1))),
  ),
  instruction("fcvt.h.d fd, fs1, rm", "0100010 00001 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("convert.f16.f64", f.rm, o.f(f.rs1))),
  ),
];
