/** Compressed instructions, each by the 32-bit instruction it stands for. @spec unprivileged "C Extension" */
import { compressed } from "../instruction.ts";

const SP = 2;
const RA = 1;

export const c = [
  compressed(
    "c.addi4spn rd, imm",
    "000 uimm[5:4|9:6|2|3] rd' 00",
    "addi",
    (f) => ({ rd: f.rd, rs1: SP, imm: f.imm }),
    (f) => f.imm !== 0,
  ),
  compressed("c.fld fd, imm(rs1)", "001 uimm[5:3] rs1' uimm[7:6] rd' 00", "fld", (f) => f),
  compressed("c.lw rd, imm(rs1)", "010 uimm[5:3] rs1' uimm[2|6] rd' 00", "lw", (f) => f),
  compressed("c.ld rd, imm(rs1)", "011 uimm[5:3] rs1' uimm[7:6] rd' 00", "ld", (f) => f),
  compressed("c.fsd fs2, imm(rs1)", "101 uimm[5:3] rs1' uimm[7:6] rs2' 00", "fsd", (f) => f),
  compressed("c.sw rs2, imm(rs1)", "110 uimm[5:3] rs1' uimm[2|6] rs2' 00", "sw", (f) => f),
  compressed("c.sd rs2, imm(rs1)", "111 uimm[5:3] rs1' uimm[7:6] rs2' 00", "sd", (f) => f),

  compressed("c.addi rd, imm", "000 imm[5] rd imm[4:0] 01", "addi", (f) => ({ rd: f.rd, rs1: f.rd, imm: f.imm })),
  compressed(
    "c.addiw rd, imm",
    "001 imm[5] rd imm[4:0] 01",
    "addiw",
    (f) => ({ rd: f.rd, rs1: f.rd, imm: f.imm }),
    (f) => f.rd !== 0,
  ),
  compressed("c.li rd, imm", "010 imm[5] rd imm[4:0] 01", "addi", (f) => ({ rd: f.rd, rs1: 0, imm: f.imm })),
  compressed(
    "c.addi16sp imm",
    "011 imm[9] 00010 imm[4|6|8:7|5] 01",
    "addi",
    (f) => ({ rd: SP, rs1: SP, imm: f.imm }),
    (f) => f.imm !== 0,
  ),
  compressed(
    "c.lui rd, imm",
    "011 imm[17] rd imm[16:12] 01",
    "lui",
    (f) => ({ rd: f.rd, imm: f.imm }),
    (f) => f.imm !== 0 && f.rd !== SP,
  ),
  compressed("c.srli rd, imm", "100 uimm[5] 00 rd' uimm[4:0] 01", "srli", (f) => ({ rd: f.rd, rs1: f.rd, imm: f.imm })),
  compressed("c.srai rd, imm", "100 uimm[5] 01 rd' uimm[4:0] 01", "srai", (f) => ({ rd: f.rd, rs1: f.rd, imm: f.imm })),
  compressed("c.andi rd, imm", "100 imm[5] 10 rd' imm[4:0] 01", "andi", (f) => ({ rd: f.rd, rs1: f.rd, imm: f.imm })),
  compressed("c.sub rd, rs2", "100 0 11 rd' 00 rs2' 01", "sub", (f) => ({ rd: f.rd, rs1: f.rd, rs2: f.rs2 })),
  compressed("c.xor rd, rs2", "100 0 11 rd' 01 rs2' 01", "xor", (f) => ({ rd: f.rd, rs1: f.rd, rs2: f.rs2 })),
  compressed("c.or rd, rs2", "100 0 11 rd' 10 rs2' 01", "or", (f) => ({ rd: f.rd, rs1: f.rd, rs2: f.rs2 })),
  compressed("c.and rd, rs2", "100 0 11 rd' 11 rs2' 01", "and", (f) => ({ rd: f.rd, rs1: f.rd, rs2: f.rs2 })),
  compressed("c.subw rd, rs2", "100 1 11 rd' 00 rs2' 01", "subw", (f) => ({ rd: f.rd, rs1: f.rd, rs2: f.rs2 })),
  compressed("c.addw rd, rs2", "100 1 11 rd' 01 rs2' 01", "addw", (f) => ({ rd: f.rd, rs1: f.rd, rs2: f.rs2 })),
  compressed("c.j imm", "101 imm[11|4|9:8|10|6|7|3:1|5] 01", "jal", (f) => ({ rd: 0, imm: f.imm })),
  compressed("c.beqz rs1, imm", "110 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", "beq", (f) => ({
    rs1: f.rs1,
    rs2: 0,
    imm: f.imm,
  })),
  compressed("c.bnez rs1, imm", "111 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", "bne", (f) => ({
    rs1: f.rs1,
    rs2: 0,
    imm: f.imm,
  })),

  compressed("c.slli rd, imm", "000 uimm[5] rd uimm[4:0] 10", "slli", (f) => ({ rd: f.rd, rs1: f.rd, imm: f.imm })),
  compressed("c.fldsp fd, imm", "001 uimm[5] rd uimm[4:3|8:6] 10", "fld", (f) => ({ rd: f.rd, rs1: SP, imm: f.imm })),
  compressed(
    "c.lwsp rd, imm",
    "010 uimm[5] rd uimm[4:2|7:6] 10",
    "lw",
    (f) => ({ rd: f.rd, rs1: SP, imm: f.imm }),
    (f) => f.rd !== 0,
  ),
  compressed(
    "c.ldsp rd, imm",
    "011 uimm[5] rd uimm[4:3|8:6] 10",
    "ld",
    (f) => ({ rd: f.rd, rs1: SP, imm: f.imm }),
    (f) => f.rd !== 0,
  ),
  compressed(
    "c.jr rs1",
    "100 0 rs1 00000 10",
    "jalr",
    (f) => ({ rd: 0, rs1: f.rs1, imm: 0 }),
    (f) => f.rs1 !== 0,
  ),
  compressed(
    "c.mv rd, rs2",
    "100 0 rd rs2 10",
    "add",
    (f) => ({ rd: f.rd, rs1: 0, rs2: f.rs2 }),
    (f) => f.rs2 !== 0,
  ),
  compressed("c.ebreak", "100 1 00000 00000 10", "ebreak", () => ({})),
  compressed(
    "c.jalr rs1",
    "100 1 rs1 00000 10",
    "jalr",
    (f) => ({ rd: RA, rs1: f.rs1, imm: 0 }),
    (f) => f.rs1 !== 0,
  ),
  compressed(
    "c.add rd, rs2",
    "100 1 rd rs2 10",
    "add",
    (f) => ({ rd: f.rd, rs1: f.rd, rs2: f.rs2 }),
    (f) => f.rs2 !== 0,
  ),
  compressed("c.fsdsp fs2, imm", "101 uimm[5:3|8:6] rs2 10", "fsd", (f) => ({ rs1: SP, rs2: f.rs2, imm: f.imm })),
  compressed("c.swsp rs2, imm", "110 uimm[5:2|7:6] rs2 10", "sw", (f) => ({ rs1: SP, rs2: f.rs2, imm: f.imm })),
  compressed("c.sdsp rs2, imm", "111 uimm[5:3|8:6] rs2 10", "sd", (f) => ({ rs1: SP, rs2: f.rs2, imm: f.imm })),
];
