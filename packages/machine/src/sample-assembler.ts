/** Just enough of an assembler to write the guests of tests. Who calls it: tests only. */

/** Registers by their ABI names. */
export const [zero, sp, t0, t1, t2, a0, a1, a2, a6, a7] = [0, 2, 5, 6, 7, 10, 11, 12, 16, 17];

// A small assembler: each gives one instruction word.
const i = (imm: number, rs1: number, f3: number, rd: number, op: number) =>
  (((imm & 0xfff) << 20) | (rs1 << 15) | (f3 << 12) | (rd << 7) | op) >>> 0;
export const addi = (rd: number, rs1: number, imm: number) => i(imm, rs1, 0, rd, 0x13);
export const add = (rd: number, rs1: number, rs2: number) => ((rs2 << 20) | (rs1 << 15) | (rd << 7) | 0x33) >>> 0;
export const lui = (rd: number, upper: number) => ((upper << 12) | (rd << 7) | 0x37) >>> 0;
export const auipc = (rd: number, upper: number) => ((upper << 12) | (rd << 7) | 0x17) >>> 0;
const store = (f3: number, rs2: number, rs1: number, imm: number) =>
  ((((imm >> 5) & 0x7f) << 25) | (rs2 << 20) | (rs1 << 15) | (f3 << 12) | ((imm & 31) << 7) | 0x23) >>> 0;
export const sw = (rs2: number, rs1: number, imm: number) => store(2, rs2, rs1, imm);
export const sb = (rs2: number, rs1: number, imm: number) => store(0, rs2, rs1, imm);
export const lw = (rd: number, rs1: number, imm: number) => i(imm, rs1, 2, rd, 0x03);
export const ld = (rd: number, rs1: number, imm: number) => i(imm, rs1, 3, rd, 0x03);
export const csrrw = (rd: number, csr: number, rs1: number) => i(csr, rs1, 1, rd, 0x73);
export const csrrs = (rd: number, csr: number, rs1: number) => i(csr, rs1, 2, rd, 0x73);
export const jal = (offset: number) =>
  ((((offset >> 20) & 1) << 31) |
    (((offset >> 1) & 0x3ff) << 21) |
    (((offset >> 11) & 1) << 20) |
    (((offset >> 12) & 0xff) << 12) |
    0x6f) >>>
  0;
export const branch = (f3: number, rs1: number, rs2: number, offset: number) =>
  ((((offset >> 12) & 1) << 31) |
    (((offset >> 5) & 0x3f) << 25) |
    (rs2 << 20) |
    (rs1 << 15) |
    (f3 << 12) |
    (((offset >> 1) & 0xf) << 8) |
    (((offset >> 11) & 1) << 7) |
    0x63) >>>
  0;
export const bne = (rs1: number, rs2: number, offset: number) => branch(1, rs1, rs2, offset);
export const ECALL = 0x0000_0073;
export const WFI = 0x1050_0073;
export const SELF = jal(0);

/** `rd` = a constant below 2^31, always in two instructions. */
export const li = (rd: number, value: number) => {
  const low = (value << 20) >> 20;
  return [lui(rd, ((value - low) >>> 12) & 0xf_ffff), addi(rd, rd, low)];
};
/** An SBI call with `a0` and up as given. */
export const sbi = (eid: number, fid: number, ...args: number[]) => [
  ...li(a7, eid),
  ...li(a6, fid),
  ...args.flatMap((value, index) => li(a0 + index, value)),
  ECALL,
];
export const print = (character: string) => sbi(0x4442434e, 2, character.charCodeAt(0));
export const shutdown = sbi(0x53525354, 0, 0, 0);
