/** Multiplication and division. @spec unprivileged "M Extension for Integer Multiplication and Division" */
import { instruction } from "../instruction.ts";

export const m = [
  instruction("mul rd, rs1, rs2", "0000001 rs2 rs1 000 rd 0110011", (o, f) =>
    o.setX(f.rd, o.mul(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("mulh rd, rs1, rs2", "0000001 rs2 rs1 001 rd 0110011", (o, f) =>
    o.setX(f.rd, o.mulHighSigned(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("mulhsu rd, rs1, rs2", "0000001 rs2 rs1 010 rd 0110011", (o, f) =>
    o.setX(f.rd, o.mulHighSignedUnsigned(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("mulhu rd, rs1, rs2", "0000001 rs2 rs1 011 rd 0110011", (o, f) =>
    o.setX(f.rd, o.mulHighUnsigned(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("div rd, rs1, rs2", "0000001 rs2 rs1 100 rd 0110011", (o, f) =>
    o.setX(f.rd, o.divSigned(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("divu rd, rs1, rs2", "0000001 rs2 rs1 101 rd 0110011", (o, f) =>
    o.setX(f.rd, o.divUnsigned(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("rem rd, rs1, rs2", "0000001 rs2 rs1 110 rd 0110011", (o, f) =>
    o.setX(f.rd, o.remSigned(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("remu rd, rs1, rs2", "0000001 rs2 rs1 111 rd 0110011", (o, f) =>
    o.setX(f.rd, o.remUnsigned(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("mulw rd, rs1, rs2", "0000001 rs2 rs1 000 rd 0111011", (o, f) =>
    o.setX(f.rd, o.signExtend(32, o.mul(o.x(f.rs1), o.x(f.rs2)))),
  ),
  instruction("divw rd, rs1, rs2", "0000001 rs2 rs1 100 rd 0111011", (o, f) =>
    o.setX(f.rd, o.signExtend(32, o.divSigned(o.signExtend(32, o.x(f.rs1)), o.signExtend(32, o.x(f.rs2))))),
  ),
  instruction("divuw rd, rs1, rs2", "0000001 rs2 rs1 101 rd 0111011", (o, f) =>
    o.setX(f.rd, o.signExtend(32, o.divUnsigned(o.zeroExtend(32, o.x(f.rs1)), o.zeroExtend(32, o.x(f.rs2))))),
  ),
  instruction("remw rd, rs1, rs2", "0000001 rs2 rs1 110 rd 0111011", (o, f) =>
    o.setX(f.rd, o.signExtend(32, o.remSigned(o.signExtend(32, o.x(f.rs1)), o.signExtend(32, o.x(f.rs2))))),
  ),
  instruction("remuw rd, rs1, rs2", "0000001 rs2 rs1 111 rd 0111011", (o, f) =>
    o.setX(f.rd, o.signExtend(32, o.remUnsigned(o.zeroExtend(32, o.x(f.rs1)), o.zeroExtend(32, o.x(f.rs2))))),
  ),
];
