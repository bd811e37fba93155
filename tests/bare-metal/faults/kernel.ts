/**
 * The kernel below random programs that fault: a few hundred instructions that run an image in U-mode under Sv39, count and skip what
 * it does wrong, and change its page tables when it calls. Traps go to M-mode or S-mode, as `medeleg` says; both work alike.
 */

import { IMAGE_BASE, type Image } from "../../differential/image.ts";
import { BASE, type Guest, guest, names } from "../guest.ts";

const PAGE = 4096;
/** Pages of a program's address space that the kernel changes, from 1 GiB on. */
export const WINDOWS = 16;
export const WINDOW_BASE = 0x4000_0000;
/** Where S-mode sees physical memory, less where it is. */
const ALIAS = 0x4000_0000;
/** Slots in which traps are summed up, one for each 64 bytes of code and modulo their number. */
export const SLOTS = 512;
export const SLOT_BYTES = 64;
const USER_PAGE = 0xdf;

export interface KernelOptions {
  /** Of what the kernel does when it is called. */
  readonly seed: bigint;
  /** Exceptions that go to S-mode. */
  readonly medeleg: number;
  /** Whether a timer interrupts at random, and interrupts that go to S-mode. */
  readonly timer: boolean;
  readonly mideleg: number;
}

const [SP, A7] = [2, 17];
const saved = names
  .map((name, register) => ({ name, register }))
  .filter(({ register }) => register > 0 && register !== SP);

/** The way into the kernel and back. @param m `m` or `s`. */
const entry = (m: string, isMachine: number): string => `
  .align 4
  ${m}entry: csrrw sp, ${m}scratch, sp
  ${saved.map(({ name, register }) => `sd ${name}, ${8 * register}(sp)`).join("\n")}
  csrr t0, ${m}scratch
  sd t0, ${8 * SP}(sp)
  csrw ${m}scratch, sp
  csrr a0, ${m}cause
  csrr a1, ${m}epc
  csrr a2, ${m}tval
  addi a4, zero, ${isMachine}
  call trap
  csrw ${m}epc, a1
  ${saved.map(({ name, register }) => `ld ${name}, ${8 * register}(sp)`).join("\n")}
  ld sp, ${8 * SP}(sp)
  ${m}ret`;

/** Puts the next random number of a state into `t1`. */
const random = (state: string): string => `
  la t0, random
  ld t2, 8(t0)
  ld t3, 16(t0)
  la t0, ${state}
  ld t1, 0(t0)
  mul t1, t1, t3
  add t1, t1, t2
  sd t1, 0(t0)`;

/** With cause, pc and value in `a0`, `a1` and `a2` and the registers at `sp`; leaves in `a1` where it goes on. */
const trap = `
  trap: blt a0, zero, interrupt
  addi t0, a0, -9
  beqz t0, finish
  la t0, exit_at
  ld t0, 0(t0)
  bltu a1, t0, inside
  addi t0, a0, -8
  bnez t0, inside
  ld t0, ${8 * A7}(sp)
  addi t0, t0, -93
  addi a1, a1, 4
  bnez t0, return
  end: bnez a4, finish
  ecall
  # The instruction's low half: the image's pages lie in reverse order.
  inside: mv a5, a0
  mv a6, a2
  addi a7, zero, 0
  la t0, image_at
  ld t0, 0(t0)
  bltu a1, t0, sum
  sub t1, a1, t0
  srli t2, t1, 12
  slli t2, t2, 12
  sub t3, t1, t2
  la t4, code_page
  sub t4, t4, t2
  add t4, t4, t3
  lhu a7, 0(t4)
  # What QEMU 7.2 says otherwise is not summed up: the value of a breakpoint, and that an atomic access is a store.
  addi t0, a0, -3
  bnez t0, atomic
  addi a6, zero, 0
  atomic: andi t0, a7, 127
  addi t0, t0, -47
  bnez t0, sum
  ori a5, a0, 2
  sum: srli t0, a1, ${Math.log2(SLOT_BYTES)}
  andi t0, t0, ${SLOTS - 1}
  slli t0, t0, 3
  la t1, sums
  add t1, t1, t0
  ld t2, 0(t1)
  addi t3, zero, 31
  mul t2, t2, t3
  add t2, t2, a5
  mul t2, t2, t3
  add t2, t2, a1
  mul t2, t2, t3
  add t2, t2, a6
  sd t2, 0(t1)
  addi t0, a0, -2
  beqz t0, illegal
  addi t0, a0, -8
  beqz t0, service
  addi t0, a0, -12
  beqz t0, fetch
  addi t0, a0, -1
  beqz t0, fetch
  beqz a0, fetch

  skip: andi a7, a7, 3
  addi a1, a1, 2
  addi t0, zero, 3
  bne a7, t0, return
  addi a1, a1, 2
  return: ret

  # The floating-point unit may be off.
  illegal: csrr t0, sstatus
  li t1, 0x6000
  and t2, t0, t1
  bnez t2, skip
  li t1, 0x2000
  csrs sstatus, t1
  ret

  # Either a jump to where nothing is, which says by its address which register leads back, or the code's own page was changed.
  fetch: la t0, image_at
  ld t0, 0(t0)
  bgeu a1, t0, restore
  srli t0, a1, 4
  andi t0, t0, 31
  slli t0, t0, 3
  add t0, t0, sp
  ld a1, 0(t0)
  ret
  restore: la t0, image_leaves
  la t1, code_pages
  ld t1, 0(t1)
  next_leaf: ld t2, 0(t0)
  ori t2, t2, 0xff
  xori t2, t2, ${0xff ^ USER_PAGE}
  sd t2, 0(t0)
  addi t0, t0, 8
  addi t1, t1, -1
  bnez t1, next_leaf
  sfence.vma zero, zero
  ret

  service: addi a1, a1, 4
  ${random("choices")}
  srli t2, t1, 61
  srli t3, t1, 57
  andi t3, t3, ${WINDOWS - 1}
  slli t4, t3, 3
  la t5, windows
  add t4, t4, t5
  srli t6, t1, 53
  andi t6, t6, 15
  addi t0, t2, -4
  beqz t0, swap
  addi t0, t2, -5
  beqz t0, code
  addi t0, t2, -6
  beqz t0, float_off
  addi t0, t2, -7
  beqz t0, other_space
  la t0, flags
  add t0, t0, t6
  lbu t0, 0(t0)
  ld a3, 0(t4)
  andi a3, a3, -256
  or a3, a3, t0
  sd a3, 0(t4)
  andi t2, t2, 1
  beqz t2, fence_all
  lui t0, ${WINDOW_BASE}
  slli t3, t3, 12
  add t0, t0, t3
  sfence.vma t0, zero
  ret
  fence_all: sfence.vma zero, zero
  ret
  swap: slli t6, t6, 3
  add t6, t6, t5
  ld t0, 0(t4)
  ld t5, 0(t6)
  sd t0, 0(t6)
  sd t5, 0(t4)
  sfence.vma zero, zero
  ret
  code: srli t0, t1, 40
  andi t0, t0, 255
  la t5, code_pages
  ld t5, 0(t5)
  remu t0, t0, t5
  slli t0, t0, 3
  la t5, image_leaves
  add t0, t0, t5
  la t5, code_flags
  andi t6, t6, 3
  add t5, t5, t6
  lbu t5, 0(t5)
  ld a3, 0(t0)
  andi a3, a3, -256
  or a3, a3, t5
  sd a3, 0(t0)
  sfence.vma zero, zero
  ret
  float_off: li t0, 0x6000
  csrc sstatus, t0
  ret
  other_space: csrr t0, satp
  slli t3, t3, 44
  addi t5, zero, 15
  slli t5, t5, 44
  not t5, t5
  and t0, t0, t5
  or t0, t0, t3
  csrw satp, t0
  ret

  # Interrupts leave no trace: when they come is not part of a program.
  interrupt: ${random("moments")}
  srli t1, t1, 56
  csrr t0, time
  add t0, t0, t1
  csrw stimecmp, t0
  ret`;

/** Leaves of the windows' pages: what an access may find. A few are reserved or leave A and D to the hardware. */
const flags = [0x00, 0xd3, 0xd7, 0x57, 0x97, 0x17, 0x53, 0xd5, 0xc7, 0x01, 0xd9, 0xdb, 0xdf, 0xd7, 0xd7, 0xd7];
/** Leaves of the code's pages until the next fetch: not executable, invalid, not the user's, executable only. */
const codeFlags = [0xd7, 0xde, 0xcf, 0xd9];
const bytes = (values: readonly number[]): string =>
  values.map((_, i) => (i % 2 ? "" : `.half ${values[i]! | (values[i + 1]! << 8)}`)).join("\n");

const setUp = ({ medeleg, mideleg, timer }: KernelOptions): string => `
  addi t0, zero, -1
  csrw pmpaddr0, t0
  addi t0, zero, 31
  csrw pmpcfg0, t0
  li t0, ${medeleg}
  csrw medeleg, t0
  li t0, ${mideleg}
  csrw mideleg, t0
  addi t0, zero, 7
  csrw mcounteren, t0
  csrw scounteren, t0
  la t0, environment
  ld t0, 0(t0)
  csrw menvcfg, t0
  csrw senvcfg, t0
  lui t1, ${ALIAS}
  la t0, msave
  csrw mscratch, t0
  la t0, ssave
  add t0, t0, t1
  csrw sscratch, t0
  la t0, mentry
  csrw mtvec, t0
  la t0, sentry
  add t0, t0, t1
  csrw stvec, t0
  la t0, root
  srli t0, t0, 12
  addi t1, zero, 8
  slli t1, t1, 60
  or t0, t0, t1
  csrw satp, t0
  sfence.vma zero, zero
  ${timer ? "csrw stimecmp, zero\naddi t0, zero, 32\ncsrw mie, t0" : ""}
  lui t0, 8192
  csrw mstatus, t0
  la t0, image_at
  ld t0, 0(t0)
  csrw mepc, t0
  mret`;

/** A guest that runs an image to its end. Its results: registers and traps, sums, leaves, and the image's data, last page first. */
export function underKernel(image: Image, options: KernelOptions): Guest {
  const pages = image.bytes.length / PAGE;
  const codePages = image.dataOffset / PAGE;
  const body = `${setUp(options)}
    ${entry("m", 1)}
    ${entry("s", 0)}
    ${trap}
    .align 8
    environment: .dword ${(1n << 63n) | (1n << 61n) | 0xf0n}
    image_at: .dword ${IMAGE_BASE}
    exit_at: .dword ${image.entries.at(-1)}
    code_pages: .dword ${codePages}
    choices: .dword ${options.seed}
    moments: .dword ${options.seed}
    flags: ${bytes(flags)}
    code_flags: ${bytes(codeFlags)}`;
  const data = `
    .align 4096
    msave: .space 256
    ssave: .space 256
    .align 4096
    root: .space 4096
    image_middle: .space 4096
    window_middle: .space 4096
    .space ${(codePages - 1) * PAGE}
    code_page: .space 4096`;
  const results = `
    sums: .space ${8 * SLOTS}
    windows: .space 4096
    image_leaves: .space 4096
    window_pages: .space ${WINDOWS * PAGE}
    data: .space ${(pages - codePages) * PAGE}`;
  const made = guest(body, options.seed, results, data);
  const at = (label: string): number => made.labels.get(label)!;
  const view = new DataView(made.bytes.buffer);
  const leaf = (table: string, index: number, address: number, flags: number): void =>
    view.setBigUint64(at(table) - BASE + 8 * index, BigInt(address / PAGE) * 1024n + BigInt(flags), true);
  leaf("root", WINDOW_BASE / 2 ** 30, at("window_middle"), 1);
  leaf("root", IMAGE_BASE / 2 ** 30, at("image_middle"), 1);
  leaf("root", (BASE + ALIAS) / 2 ** 30, BASE, 0xcf);
  leaf("window_middle", 0, at("windows"), 1);
  leaf("image_middle", 0, at("image_leaves"), 1);
  for (let page = 0; page < WINDOWS; page++) leaf("windows", page, at("window_pages") + page * PAGE, 0xd7);
  for (let page = 0; page < pages; page++) {
    const frame = page < codePages ? at("code_page") - page * PAGE : at("data") + (pages - 1 - page) * PAGE;
    leaf("image_leaves", page, frame, USER_PAGE);
    made.bytes.set(image.bytes.subarray(page * PAGE, (page + 1) * PAGE), frame - BASE);
  }
  return made;
}

/** The parts of a guest's results: its sums of traps, its tables, and the image's data in its own order. */
export function partsOf(results: Uint8Array, image: Image): { sums: Uint8Array; rest: Uint8Array; data: Uint8Array } {
  const dataBytes = image.bytes.length - image.dataOffset;
  const start = results.length - dataBytes;
  const data = new Uint8Array(dataBytes);
  for (let at = 0; at < dataBytes; at += PAGE)
    data.set(results.subarray(start + at, start + at + PAGE), dataBytes - PAGE - at);
  return { sums: results.subarray(PAGE, PAGE + 8 * SLOTS), rest: results.subarray(PAGE + 8 * SLOTS, start), data };
}
