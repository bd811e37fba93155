/**
 * Bare-metal guests of tests: assembly that starts in M-mode and ends at `finish` in M-mode, leaving its registers and a page of
 * results to be compared. They run here and, unchanged, on QEMU's `virt` machine.
 */
import { assemble } from "@bulkhead/isa";

export const BASE = 0x8000_0000;
export const RAM_BYTES = 16 << 20;
/** Where the serial port is. Only the end of a guest touches it: its line status first. */
const UART = 0x1000_0000;
export const LINE_STATUS = UART + 5;
/** Where the power switch is. */
const FINISHER = 0x10_0000;

export interface Guest {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where its results are, address and length. */
  readonly result: number;
  readonly resultBytes: number;
  readonly labels: ReadonlyMap<string, number>;
}

const registers = Array.from({ length: 31 }, (_, index) => index + 1).filter((r) => r !== 5 && r !== 6);
export const names =
  "zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6".split(" ");

/** Registers are 0 at first, but for `s10` and `s11`: `s1 = s1 * s11 + s10` is the next random number, its high bits the better ones. */
const prologue = `
  start: la t0, random
  ld s1, 0(t0)
  ld s10, 8(t0)
  ld s11, 16(t0)
  la t0, unexpected
  csrw mtvec, t0
  lui t0, 24576
  csrw mstatus, t0
  ${names
    .slice(1)
    .filter((name) => !["s1", "s10", "s11"].includes(name))
    .map((name) => `addi ${name}, zero, 0`)
    .join("\n")}
`;

/** Where an unexpected trap leaves its cause, pc and value in the results, in doublewords. */
export const TRAPPED = 32;

/**
 * Ends the guest: `finish` may be jumped to from anywhere in M-mode; with `mtvec` at `called` S-mode ends by an ECALL. An
 * unexpected trap leaves its cause.
 */
const epilogue = `
  called: csrr t0, mcause
  addi t0, t0, -9
  beqz t0, finish
  unexpected: la t0, result
  csrr t1, mcause
  sd t1, ${8 * TRAPPED}(t0)
  csrr t1, mepc
  sd t1, ${8 * TRAPPED + 8}(t0)
  csrr t1, mtval
  sd t1, ${8 * TRAPPED + 16}(t0)
  finish: la t1, result
  sd t0, 40(t1)
  ${registers.map((r) => `sd ${names[r]}, ${8 * r}(t1)`).join("\n")}
  la t0, result_end
  lui t2, ${UART}
  report: lbu t3, ${LINE_STATUS - UART}(t2)
  andi t3, t3, 0x20
  beqz t3, report
  lbu t3, 0(t1)
  sb t3, 0(t2)
  addi t1, t1, 1
  bne t1, t0, report
  lui t0, ${FINISHER}
  lui t1, 20480
  addi t1, t1, 0x555
  sw t1, 0(t0)
  j finish
`;

const symbols = {
  ...{ mstatus: 0x300, misa: 0x301, medeleg: 0x302, mideleg: 0x303, mie: 0x304, mtvec: 0x305, mcounteren: 0x306 },
  ...{ mscratch: 0x340, mepc: 0x341, mcause: 0x342, mtval: 0x343, mip: 0x344, menvcfg: 0x30a, mcycle: 0xb00 },
  ...{
    sstatus: 0x100,
    sie: 0x104,
    stvec: 0x105,
    sscratch: 0x140,
    sepc: 0x141,
    scause: 0x142,
    stval: 0x143,
    sip: 0x144,
  },
  ...{
    scounteren: 0x106,
    senvcfg: 0x10a,
    satp: 0x180,
    stimecmp: 0x14d,
    time: 0xc01,
    pmpcfg0: 0x3a0,
    pmpaddr0: 0x3b0,
    fflags: 1,
    frm: 2,
    fcsr: 3,
  },
};

/**
 * @param seed of the guest's own random numbers.
 * @param results what is reported beside the page of registers and traps, as data. @param data what is not.
 */
export function guest(body: string, seed = 1n, results = "", data = ""): Guest {
  const text = `${prologue}
    ${body}
    ${epilogue}
    .align 8
    random: .dword ${seed}
    .dword 1442695040888963407
    .dword 6364136223846793005
    ${data}
    .align 4096
    result: .space 4096
    ${results}
    result_end:`;
  const { bytes, labels } = assemble(text, BASE, symbols);
  const result = labels.get("result")!;
  return { bytes, labels, result, resultBytes: labels.get("result_end")! - result };
}

/** The results of a guest as doublewords. */
export function doublewords(bytes: Uint8Array): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 8 }, (_, index) => view.getBigUint64(8 * index, true));
}
