/** Guests that write code and run it, as a JIT in a guest does. Each computes a checksum over everything that its code did. */

/** Stores the word in `t5` at `t2` by halves, as it may lie across pages. */
const putWord = `
  sh t5, 0(t2)
  srli t5, t5, 16
  sh t5, 2(t2)
  addi t2, t2, 4`;

export const random = `
  mul s1, s1, s11
  add s1, s1, s10`;

/** `s2` = 31 `s2` + `a0` */
export const mix = `
  slli t0, s2, 5
  sub s2, t0, s2
  add s2, s2, a0`;

const templates = `
  .align 4
  templates: addi a0, a0, 0
  xori a0, a0, 0
  ori a0, a0, 0
  addiw a0, a0, 0
  slti a1, a0, 0
  addi a1, a1, 0
  xori a0, a1, 0
  addi a0, a1, 0`;

/** Writes functions of a few random instructions at random places of some pages, and calls each a random number of times. */
export const generator = (rounds: number, placeMask: number) => `
  li s0, ${rounds}
  la s3, buffer
  round: ${random}
  srli t0, s1, 33
  li t1, ${placeMask}
  and t0, t0, t1
  add s4, s3, t0
  mv t2, s4
  srli t3, s1, 50
  andi t3, t3, 15
  addi t3, t3, 1
  emit: ${random}
  srli t4, s1, 40
  andi t4, t4, 7
  slli t4, t4, 2
  la t5, templates
  add t5, t5, t4
  lwu t5, 0(t5)
  srli t4, s1, 52
  slli t4, t4, 20
  or t5, t5, t4
  ${putWord}
  addi t3, t3, -1
  bnez t3, emit
  li t5, 0x8067
  ${putWord}
  fence.i
  mv a0, s1
  srli s5, s1, 60
  addi s5, s5, 1
  again: jalr ra, 0(s4)
  addi s5, s5, -1
  bnez s5, again
  ${mix}
  addi s0, s0, -1
  bnez s0, round
  j finish
  ${templates}
  .align 4096
  buffer: .space 16384`;

/** A function that counts in its own page, first in the very bytes beside its code, then farther off; its code changes too. */
const data = `
  li s0, 1500
  la s3, beside
  round: ${random}
  srli t0, s1, 60
  bnez t0, keep
  srli t4, s1, 48
  slli t4, t4, 20
  li t5, 0x50513
  or t5, t5, t4
  sw t5, 0(s3)
  fence.i
  keep: jalr ra, 0(s3)
  jalr ra, 0(s3)
  ${mix}
  addi s0, s0, -1
  bnez s0, round
  ld a0, 60(s3)
  ${mix}
  ld a0, 1020(s3)
  ${mix}
  j finish
  .align 4096
  beside: addi a0, a0, 0
  auipc t0, 0
  ld t1, 56(t0)
  addi t1, t1, 1
  sd t1, 56(t0)
  ld t2, 1016(t0)
  add t2, t2, t1
  sd t2, 1016(t0)
  add a0, a0, t2
  ret
  .space 4000`;

/** Changes the instructions right behind the store, some in front of it, and those of a loop that it is in. */
const running = `
  li s0, 3000
  la s3, behind
  la s4, front
  round: ${random}
  li s6, 3
  front: addi a0, a0, 1
  inner: add a0, a0, s6
  addi s6, s6, -1
  bnez s6, inner
  srli t0, s1, 59
  bnez t0, behind
  srli t4, s1, 48
  slli t4, t4, 20
  li t5, 0x50513
  or t5, t5, t4
  sw t5, 0(s3)
  srli t4, s1, 40
  slli t4, t4, 20
  li t5, 0x50513
  or t5, t5, t4
  sw t5, 0(s4)
  fence.i
  behind: addi a0, a0, 3
  ${mix}
  addi s0, s0, -1
  bnez s0, round
  j finish`;

/** An instruction across two pages, of which each half changes alone, in a loop that runs across the pages too. */
const across = `
  li s0, 2000
  la s3, straddling
  round: ${random}
  srli t0, s1, 60
  bnez t0, call
  srli t4, s1, 48
  srli t0, s1, 32
  andi t0, t0, 1
  beqz t0, upper
  li t5, 0x513
  j lower
  upper: slli t4, t4, 4
  ori t4, t4, 5
  sh t4, 2(s3)
  j written
  lower: andi t4, t4, 4
  slli t4, t4, 12
  or t5, t5, t4
  sh t5, 0(s3)
  written: fence.i
  call: la t0, loop
  jalr ra, 0(t0)
  ${mix}
  addi s0, s0, -1
  bnez s0, round
  j finish
  .align 4096
  .space 4080
  loop: addi t3, zero, 5
  again: addi a0, a0, 7
  addi t3, t3, -1
  c.addi zero, 0
  straddling: addi a0, a0, 1
  c.addi zero, 0
  bnez t3, again
  ret`;

/** To S-mode under Sv39: RAM where it is, and windows of 4 KiB pages from 1 GiB on, whose table is at `leaves`. */
const enterSupervisor = `
  addi t0, zero, -1
  csrw pmpaddr0, t0
  addi t0, zero, 31
  csrw pmpcfg0, t0
  la t0, root
  la t1, middle
  srli t2, t1, 2
  ori t2, t2, 1
  sd t2, 8(t0)
  li t2, 0x200000cf
  slli t2, t2, 32
  srli t2, t2, 32
  sd t2, 16(t0)
  la t2, leaves
  srli t2, t2, 2
  ori t2, t2, 1
  sd t2, 0(t1)
  srli t0, t0, 12
  addi t1, zero, 8
  slli t1, t1, 60
  or t0, t0, t1
  csrw satp, t0
  sfence.vma zero, zero
  la t0, called
  csrw mtvec, t0
  li t0, 0x1800
  csrc mstatus, t0
  li t0, 0x800
  csrs mstatus, t0
  la t0, supervisor
  csrw mepc, t0
  mret
  supervisor:`;

const tables = `
  .align 4096
  root: .space 4096
  middle: .space 4096
  leaves: .space 4096`;

/** Maps the page at `register` for window \`window\`. */
const map = (window: number, register: string) => `
  srli t0, ${register}, 2
  ori t0, t0, 0xcf
  la t1, leaves
  sd t0, ${8 * window}(t1)`;

/**
 * Two pages of code that take turns in a window, and of which each is also in a window of its own: they are changed there, in
 * the first window, or where RAM is; what they compute depends on where they run.
 */
const remapped = `
  ${enterSupervisor}
  la s3, pageA
  la s4, pageB
  lui s5, 0x40000000
  li s6, 0x1000
  add s6, s5, s6
  li s7, 0x2000
  add s7, s5, s7
  ${map(0, "s3")}
  ${map(1, "s3")}
  ${map(2, "s4")}
  sfence.vma zero, zero
  li s0, 2000
  round: ${random}
  srli t0, s1, 61
  beqz t0, toA
  addi t0, t0, -1
  beqz t0, toB
  addi t0, t0, -1
  beqz t0, patchAlias
  addi t0, t0, -1
  beqz t0, patchWindow
  addi t0, t0, -1
  beqz t0, patchRam
  j call
  toA: ${map(0, "s3")}
  sfence.vma s5, zero
  j call
  toB: ${map(0, "s4")}
  sfence.vma zero, zero
  j call
  patchAlias: mv t2, s7
  j patch
  patchWindow: mv t2, s5
  j patch
  patchRam: mv t2, s3
  patch: srli t4, s1, 44
  slli t4, t4, 20
  li t5, 0x50513
  or t5, t5, t4
  sw t5, 0(t2)
  fence.i
  call: jalr ra, 0(s5)
  jalr ra, 0(s6)
  jalr ra, 0(s7)
  jalr ra, 0(s5)
  ${mix}
  addi s0, s0, -1
  bnez s0, round
  ecall
  ${tables}
  .align 4096
  pageA: addi a0, a0, 1
  auipc t0, 0
  add a0, a0, t0
  addi t3, zero, 3
  loopA: addi a0, a0, 11
  addi t3, t3, -1
  bnez t3, loopA
  ret
  .align 4096
  pageB: addi a0, a0, 2
  auipc t0, 0
  xor a0, a0, t0
  ret
  .align 4096`;

/**
 * A loop that runs on from one page into the next, with an instruction across both, where one of two pages is mapped. Now and then
 * the caller changes that, or the loop itself right before it goes there.
 */
const moved = `
  ${enterSupervisor}
  la s3, first
  la s4, second
  la s5, third
  lui s6, 0x40000000
  li t0, 0xfe8
  add s7, s6, t0
  la a7, leaves
  srli a6, s4, 2
  ori a6, a6, 0xcf
  ${map(0, "s3")}
  ${map(1, "s4")}
  li s0, 1500
  round: ${random}
  srli t0, s1, 62
  bnez t0, call
  mv s8, s4
  srli t0, s1, 60
  andi t0, t0, 1
  beqz t0, other
  mv s8, s5
  other: srli a6, s8, 2
  ori a6, a6, 0xcf
  srli t0, s1, 59
  andi t0, t0, 1
  beqz t0, call
  ${map(1, "s8")}
  sfence.vma zero, zero
  call: addi s9, zero, 6
  jalr ra, 0(s7)
  ${mix}
  addi s0, s0, -1
  bnez s0, round
  ecall
  ${tables}
  .align 4096
  first: .space 4072
  sd a6, 8(a7)
  sfence.vma zero, zero
  c.addi zero, 0
  addi a0, a0, 1
  addi a0, a0, 2
  xori a0, a0, 4
  addi a0, a0, 8
  .align 4096
  second: .half 0x35
  addi s9, s9, -1
  xori a0, a0, 0x55
  blt zero, s9, -24
  ret
  .align 4096
  third: .half 0x95
  addi s9, s9, -1
  bnez s9, more
  ret
  more: jal zero, -28
  .align 4096`;

/** Recursion whose bottom changes the code that all the callers come back to. */
const recursive = `
  li s0, 400
  la s3, behind
  round: ${random}
  srli s4, s1, 55
  addi s4, s4, 1
  addi sp, zero, 0
  la sp, stack
  call descend
  ${mix}
  addi s0, s0, -1
  bnez s0, round
  j finish
  descend: addi sp, sp, -16
  sd ra, 8(sp)
  addi s4, s4, -1
  beqz s4, bottom
  call descend
  j behind
  bottom: srli t0, s1, 53
  andi t0, t0, 3
  bnez t0, behind
  srli t4, s1, 48
  slli t4, t4, 20
  li t5, 0x50513
  or t5, t5, t4
  sw t5, 0(s3)
  fence.i
  behind: addi a0, a0, 1
  ld ra, 8(sp)
  addi sp, sp, 16
  ret
  .space 16384
  stack: .dword 0`;

/** By what they do. */
export const guests: Readonly<Record<string, string>> = {
  "functions anywhere in some pages": generator(1500, 0x3f7e),
  "functions across the end of a page": generator(1500, 0x7e).replace(
    "la s3, buffer",
    "la s3, buffer\nli t0, 4000\nadd s3, s3, t0",
  ),
  "code beside its data": data,
  "code that it is running": running,
  "an instruction across two pages": across,
  "code under several mappings, of which one moves": remapped,
  "code whose next page moves": moved,
  "code that many calls come back to": recursive,
};
