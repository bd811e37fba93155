/** Additional instructions for single and double precision. @spec unprivileged "Zfa Extension for Additional Floating-Point Instructions" */
import { instruction } from "../instruction.ts";

export const zfa = [
  instruction("fli.s fd, imm", "1111000 00001 uimm[4:0] 000 rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("fli.f32", undefined, o.immediate(f.imm))),
  ),
  instruction("fminm.s fd, fs1, fs2", "0010100 rs2 rs1 010 rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("minm.f32", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fmaxm.s fd, fs1, fs2", "0010100 rs2 rs1 011 rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("maxm.f32", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fround.s fd, fs1, rm", "0100000 00100 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("round.f32", f.rm, o.f(f.rs1))),
  ),
  instruction("froundnx.s fd, fs1, rm", "0100000 00101 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("roundnx.f32", f.rm, o.f(f.rs1))),
  ),
  instruction("fleq.s rd, fs1, fs2", "1010000 rs2 rs1 100 rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("leq.f32", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fltq.s rd, fs1, fs2", "1010000 rs2 rs1 101 rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("ltq.f32", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),

  instruction("fli.d fd, imm", "1111001 00001 uimm[4:0] 000 rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("fli.f64", undefined, o.immediate(f.imm))),
  ),
  instruction("fminm.d fd, fs1, fs2", "0010101 rs2 rs1 010 rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("minm.f64", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fmaxm.d fd, fs1, fs2", "0010101 rs2 rs1 011 rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("maxm.f64", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fround.d fd, fs1, rm", "0100001 00100 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("round.f64", f.rm, o.f(f.rs1))),
  ),
  instruction("froundnx.d fd, fs1, rm", "0100001 00101 rs1 rm rd 1010011", (o, f) =>
    o.setF(f.rd, o.float("roundnx.f64", f.rm, o.f(f.rs1))),
  ),
  instruction("fleq.d rd, fs1, fs2", "1010001 rs2 rs1 100 rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("leq.f64", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),
  instruction("fltq.d rd, fs1, fs2", "1010001 rs2 rs1 101 rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("ltq.f64", undefined, o.f(f.rs1), o.f(f.rs2))),
  ),

  instruction("fcvtmod.w.d rd, fs1, rtz", "1100001 01000 rs1 001 rd 1010011", (o, f) =>
    o.setX(f.rd, o.float("modular.i32.f64", undefined, o.f(f.rs1))),
  ),
];
