/** A static RISC-V program in a handful of instructions, for what no tool of the busybox guest can do. */

const [zero, sp, a0, a1, a2, a3, a4, a5, a7] = [0, 2, 10, 11, 12, 13, 14, 15, 17];
const ECALL = 0x73;
const LOAD_ADDRESS = 0x10000;
const HEADER_BYTES = 64 + 56;

const addi = (rd: number, rs1: number, immediate: number): number =>
  (((immediate & 0xfff) << 20) | (rs1 << 15) | (rd << 7) | 0x13) >>> 0;
const li = (rd: number, value: number): number => addi(rd, zero, value);
const load = (width: number, rd: number, rs1: number, offset: number): number =>
  ((offset << 20) | (rs1 << 15) | (width << 12) | (rd << 7) | 0x03) >>> 0;
const sb = (rs2: number, rs1: number): number => ((rs2 << 20) | (rs1 << 15) | 0x23) >>> 0;
const lui = (rd: number, pages: number): number => ((pages << 12) | (rd << 7) | 0x37) >>> 0;

/**
 * `adder FILE` maps the file's first page, shared with everybody, adds one to its first byte, and exits with what that byte
 * was. It neither writes nor syncs.
 */
export function adderProgram(): Uint8Array {
  const openFile = [load(3, a1, sp, 16), li(a0, -100), li(a2, 2), li(a7, 56), ECALL];
  const map = [addi(a4, a0, 0), li(a0, 0), lui(a1, 1), li(a2, 3), li(a3, 1), li(a5, 0), li(a7, 222), ECALL];
  const add = [load(4, a1, a0, 0), addi(a2, a1, 1), sb(a2, a0)];
  return elf([...openFile, ...map, ...add, addi(a0, a1, 0), li(a7, 93), ECALL]);
}

/** An ELF file with one segment that holds everything. @spec ELF-64 "ELF Header", "Program Header" */
function elf(code: readonly number[]): Uint8Array {
  const file = new Uint8Array(HEADER_BYTES + code.length * 4);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const halves: [number, number][] = [
    [16, 2],
    [18, 243],
    [52, 64],
    [54, 56],
    [56, 1],
  ];
  for (const [at, value] of halves) view.setUint16(at, value, true);
  const words: [number, number][] = [
    [20, 1],
    [24, LOAD_ADDRESS + HEADER_BYTES],
    [32, 64],
    [48, 5],
    [64, 1],
    [68, 5],
    [80, LOAD_ADDRESS],
    [88, LOAD_ADDRESS],
    [96, file.length],
    [104, file.length],
    [112, 0x1000],
  ];
  for (const [at, value] of words) view.setUint32(at, value, true);
  for (const [i, instruction] of code.entries()) view.setUint32(HEADER_BYTES + i * 4, instruction, true);
  return file;
}
