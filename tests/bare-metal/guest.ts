/**
 * Bare-metal guests of tests: assembly that starts in M-mode and ends at `finish` in M-mode, leaving its registers and a page of
 * results to be compared. They run here and, unchanged, on QEMU's `virt` machine.
 */
import { assemble } from "@bulkhead/isa";

export const BASE = 0x8000_0000;
export const RAM_BYTES = 16 << 20;
const RESULT_BYTES = 4096;
/** Where the serial port and the power switch are: only `finish` touches them. */
const [UART, FINISHER] = [0x1000_0000, 0x10_0000];

export interface Guest {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Address of the code that reports: the guest has ended when it comes there. */
  readonly finish: number;
  readonly labels: ReadonlyMap<string, number>;
}

const registers = Array.from({ length: 31 }, (_, index) => index + 1).filter((r) => r !== 5 && r !== 6);
const names =
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
  report: lbu t3, 5(t2)
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
  .align 4096
  result: .space ${RESULT_BYTES}
  result_end:
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
  ...{ satp: 0x180, stimecmp: 0x14d, time: 0xc01, pmpcfg0: 0x3a0, pmpaddr0: 0x3b0, fflags: 1, frm: 2, fcsr: 3 },
};

/** @param seed of the guest's own random numbers. */
export function guest(body: string, seed = 1n): Guest {
  const random = `.align 8\nrandom: .dword ${seed}\n.dword 1442695040888963407\n.dword 6364136223846793005`;
  const { bytes, labels } = assemble(`${prologue}\n${body}\n${epilogue}\n${random}`, BASE, symbols);
  return { bytes, labels, finish: labels.get("finish")! };
}

/** What a guest left: its registers, and the results that it wrote. */
export function resultOf(page: Uint8Array): bigint[] {
  const view = new DataView(page.buffer, page.byteOffset, RESULT_BYTES);
  return Array.from({ length: RESULT_BYTES / 8 }, (_, index) => view.getBigUint64(8 * index, true));
}
