/** RV64I. @spec unprivileged "RV32I Base Integer Instruction Set", "RV64I Base Integer Instruction Set" */
import { instruction } from "../instruction.ts";

export const i = [
  instruction("lui rd, imm", "imm[31:12] rd 0110111", (o, f) => o.setX(f.rd, o.immediate(f.imm))),
  instruction("auipc rd, imm", "imm[31:12] rd 0010111", (o, f) => o.setX(f.rd, o.add(o.pc(), o.immediate(f.imm)))),
  instruction("jal rd, imm", "imm[20|10:1|11|19:12] rd 1101111", (o, f) => {
    o.setX(f.rd, o.nextPc());
    o.jump(o.add(o.pc(), o.immediate(f.imm)));
  }),
  instruction("jalr rd, imm(rs1)", "imm[11:0] rs1 000 rd 1100111", (o, f) => {
    const target = o.hold(o.and(o.add(o.x(f.rs1), o.immediate(f.imm)), o.constant(-2n)));
    o.setX(f.rd, o.nextPc());
    o.jump(target);
  }),

  instruction("beq rs1, rs2, imm", "imm[12|10:5] rs2 rs1 000 imm[4:1|11] 1100011", (o, f) =>
    o.branch(o.equal(o.x(f.rs1), o.x(f.rs2)), o.add(o.pc(), o.immediate(f.imm))),
  ),
  instruction("bne rs1, rs2, imm", "imm[12|10:5] rs2 rs1 001 imm[4:1|11] 1100011", (o, f) =>
    o.branch(o.equal(o.equal(o.x(f.rs1), o.x(f.rs2)), o.constant(0n)), o.add(o.pc(), o.immediate(f.imm))),
  ),
  instruction("blt rs1, rs2, imm", "imm[12|10:5] rs2 rs1 100 imm[4:1|11] 1100011", (o, f) =>
    o.branch(o.lessSigned(o.x(f.rs1), o.x(f.rs2)), o.add(o.pc(), o.immediate(f.imm))),
  ),
  instruction("bge rs1, rs2, imm", "imm[12|10:5] rs2 rs1 101 imm[4:1|11] 1100011", (o, f) =>
    o.branch(o.equal(o.lessSigned(o.x(f.rs1), o.x(f.rs2)), o.constant(0n)), o.add(o.pc(), o.immediate(f.imm))),
  ),
  instruction("bltu rs1, rs2, imm", "imm[12|10:5] rs2 rs1 110 imm[4:1|11] 1100011", (o, f) =>
    o.branch(o.lessUnsigned(o.x(f.rs1), o.x(f.rs2)), o.add(o.pc(), o.immediate(f.imm))),
  ),
  instruction("bgeu rs1, rs2, imm", "imm[12|10:5] rs2 rs1 111 imm[4:1|11] 1100011", (o, f) =>
    o.branch(o.equal(o.lessUnsigned(o.x(f.rs1), o.x(f.rs2)), o.constant(0n)), o.add(o.pc(), o.immediate(f.imm))),
  ),

  instruction("lb rd, imm(rs1)", "imm[11:0] rs1 000 rd 0000011", (o, f) =>
    o.setX(f.rd, o.load(1, "signed", o.add(o.x(f.rs1), o.immediate(f.imm)))),
  ),
  instruction("lh rd, imm(rs1)", "imm[11:0] rs1 001 rd 0000011", (o, f) =>
    o.setX(f.rd, o.load(2, "signed", o.add(o.x(f.rs1), o.immediate(f.imm)))),
  ),
  instruction("lw rd, imm(rs1)", "imm[11:0] rs1 010 rd 0000011", (o, f) =>
    o.setX(f.rd, o.load(4, "signed", o.add(o.x(f.rs1), o.immediate(f.imm)))),
  ),
  instruction("ld rd, imm(rs1)", "imm[11:0] rs1 011 rd 0000011", (o, f) =>
    o.setX(f.rd, o.load(8, "signed", o.add(o.x(f.rs1), o.immediate(f.imm)))),
  ),
  instruction("lbu rd, imm(rs1)", "imm[11:0] rs1 100 rd 0000011", (o, f) =>
    o.setX(f.rd, o.load(1, "unsigned", o.add(o.x(f.rs1), o.immediate(f.imm)))),
  ),
  instruction("lhu rd, imm(rs1)", "imm[11:0] rs1 101 rd 0000011", (o, f) =>
    o.setX(f.rd, o.load(2, "unsigned", o.add(o.x(f.rs1), o.immediate(f.imm)))),
  ),
  instruction("lwu rd, imm(rs1)", "imm[11:0] rs1 110 rd 0000011", (o, f) =>
    o.setX(f.rd, o.load(4, "unsigned", o.add(o.x(f.rs1), o.immediate(f.imm)))),
  ),
  instruction("sb rs2, imm(rs1)", "imm[11:5] rs2 rs1 000 imm[4:0] 0100011", (o, f) =>
    o.store(1, o.add(o.x(f.rs1), o.immediate(f.imm)), o.x(f.rs2)),
  ),
  instruction("sh rs2, imm(rs1)", "imm[11:5] rs2 rs1 001 imm[4:0] 0100011", (o, f) =>
    o.store(2, o.add(o.x(f.rs1), o.immediate(f.imm)), o.x(f.rs2)),
  ),
  instruction("sw rs2, imm(rs1)", "imm[11:5] rs2 rs1 010 imm[4:0] 0100011", (o, f) =>
    o.store(4, o.add(o.x(f.rs1), o.immediate(f.imm)), o.x(f.rs2)),
  ),
  instruction("sd rs2, imm(rs1)", "imm[11:5] rs2 rs1 011 imm[4:0] 0100011", (o, f) =>
    o.store(8, o.add(o.x(f.rs1), o.immediate(f.imm)), o.x(f.rs2)),
  ),

  instruction("addi rd, rs1, imm", "imm[11:0] rs1 000 rd 0010011", (o, f) =>
    o.setX(f.rd, o.add(o.x(f.rs1), o.immediate(f.imm))),
  ),
  instruction("slti rd, rs1, imm", "imm[11:0] rs1 010 rd 0010011", (o, f) =>
    o.setX(f.rd, o.lessSigned(o.x(f.rs1), o.immediate(f.imm))),
  ),
  instruction("sltiu rd, rs1, imm", "imm[11:0] rs1 011 rd 0010011", (o, f) =>
    o.setX(f.rd, o.lessUnsigned(o.x(f.rs1), o.immediate(f.imm))),
  ),
  instruction("xori rd, rs1, imm", "imm[11:0] rs1 100 rd 0010011", (o, f) =>
    o.setX(f.rd, o.xor(o.x(f.rs1), o.immediate(f.imm))),
  ),
  instruction("ori rd, rs1, imm", "imm[11:0] rs1 110 rd 0010011", (o, f) =>
    o.setX(f.rd, o.or(o.x(f.rs1), o.immediate(f.imm))),
  ),
  instruction("andi rd, rs1, imm", "imm[11:0] rs1 111 rd 0010011", (o, f) =>
    o.setX(f.rd, o.and(o.x(f.rs1), o.immediate(f.imm))),
  ),
  instruction("slli rd, rs1, imm", "000000 uimm[5:0] rs1 001 rd 0010011", (o, f) =>
    o.setX(f.rd, o.shiftLeft(o.x(f.rs1), o.immediate(f.imm))),
  ),
  instruction("srli rd, rs1, imm", "000000 uimm[5:0] rs1 101 rd 0010011", (o, f) =>
    o.setX(f.rd, o.shiftRightUnsigned(o.x(f.rs1), o.immediate(f.imm))),
  ),
  instruction("srai rd, rs1, imm", "010000 uimm[5:0] rs1 101 rd 0010011", (o, f) =>
    o.setX(f.rd, o.shiftRightSigned(o.x(f.rs1), o.immediate(f.imm))),
  ),
  instruction("add rd, rs1, rs2", "0000000 rs2 rs1 000 rd 0110011", (o, f) =>
    o.setX(f.rd, o.add(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("sub rd, rs1, rs2", "0100000 rs2 rs1 000 rd 0110011", (o, f) =>
    o.setX(f.rd, o.sub(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("sll rd, rs1, rs2", "0000000 rs2 rs1 001 rd 0110011", (o, f) =>
    o.setX(f.rd, o.shiftLeft(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("slt rd, rs1, rs2", "0000000 rs2 rs1 010 rd 0110011", (o, f) =>
    o.setX(f.rd, o.lessSigned(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("sltu rd, rs1, rs2", "0000000 rs2 rs1 011 rd 0110011", (o, f) =>
    o.setX(f.rd, o.lessUnsigned(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("xor rd, rs1, rs2", "0000000 rs2 rs1 100 rd 0110011", (o, f) =>
    o.setX(f.rd, o.xor(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("srl rd, rs1, rs2", "0000000 rs2 rs1 101 rd 0110011", (o, f) =>
    o.setX(f.rd, o.shiftRightUnsigned(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("sra rd, rs1, rs2", "0100000 rs2 rs1 101 rd 0110011", (o, f) =>
    o.setX(f.rd, o.shiftRightSigned(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("or rd, rs1, rs2", "0000000 rs2 rs1 110 rd 0110011", (o, f) =>
    o.setX(f.rd, o.or(o.x(f.rs1), o.x(f.rs2))),
  ),
  instruction("and rd, rs1, rs2", "0000000 rs2 rs1 111 rd 0110011", (o, f) =>
    o.setX(f.rd, o.and(o.x(f.rs1), o.x(f.rs2))),
  ),

  instruction("addiw rd, rs1, imm", "imm[11:0] rs1 000 rd 0011011", (o, f) =>
    o.setX(f.rd, o.signExtend(32, o.add(o.x(f.rs1), o.immediate(f.imm)))),
  ),
  instruction("slliw rd, rs1, imm", "0000000 uimm[4:0] rs1 001 rd 0011011", (o, f) =>
    o.setX(f.rd, o.signExtend(32, o.shiftLeft(o.x(f.rs1), o.immediate(f.imm)))),
  ),
  instruction("srliw rd, rs1, imm", "0000000 uimm[4:0] rs1 101 rd 0011011", (o, f) =>
    o.setX(f.rd, o.signExtend(32, o.shiftRightUnsigned(o.zeroExtend(32, o.x(f.rs1)), o.immediate(f.imm)))),
  ),
  instruction("sraiw rd, rs1, imm", "0100000 uimm[4:0] rs1 101 rd 0011011", (o, f) =>
    o.setX(f.rd, o.shiftRightSigned(o.signExtend(32, o.x(f.rs1)), o.immediate(f.imm))),
  ),
  instruction("addw rd, rs1, rs2", "0000000 rs2 rs1 000 rd 0111011", (o, f) =>
    o.setX(f.rd, o.signExtend(32, o.add(o.x(f.rs1), o.x(f.rs2)))),
  ),
  instruction("subw rd, rs1, rs2", "0100000 rs2 rs1 000 rd 0111011", (o, f) =>
    o.setX(f.rd, o.signExtend(32, o.sub(o.x(f.rs1), o.x(f.rs2)))),
  ),
  instruction("sllw rd, rs1, rs2", "0000000 rs2 rs1 001 rd 0111011", (o, f) =>
    o.setX(f.rd, o.signExtend(32, o.shiftLeft(o.x(f.rs1), o.and(o.x(f.rs2), o.constant(31n))))),
  ),
  instruction("srlw rd, rs1, rs2", "0000000 rs2 rs1 101 rd 0111011", (o, f) =>
    o.setX(
      f.rd,
      o.signExtend(32, o.shiftRightUnsigned(o.zeroExtend(32, o.x(f.rs1)), o.and(o.x(f.rs2), o.constant(31n)))),
    ),
  ),
  instruction("sraw rd, rs1, rs2", "0100000 rs2 rs1 101 rd 0111011", (o, f) =>
    o.setX(f.rd, o.shiftRightSigned(o.signExtend(32, o.x(f.rs1)), o.and(o.x(f.rs2), o.constant(31n)))),
  ),

  instruction("fence", "------------ ----- 000 ----- 0001111", (o) => o.fence()),
  instruction("ecall", "000000000000 00000 000 00000 1110011", (o) =>
    o.system("ecall", o.constant(0n), o.constant(0n)),
  ),
  instruction("ebreak", "000000000001 00000 000 00000 1110011", (o) =>
    o.system("ebreak", o.constant(0n), o.constant(0n)),
  ),
];

/** @spec unprivileged "Zifencei" */
export const zifencei = [
  instruction("fence.i", "------------ ----- 001 ----- 0001111", (o) =>
    o.system("fence.i", o.constant(0n), o.constant(0n)),
  ),
];

/** A hint: a pause is a short rest, which needs nothing here. @spec unprivileged "Zihintpause" */
export const zihintpause = [instruction("pause", "000000010000 00000 000 00000 0001111", (o) => o.fence())];
