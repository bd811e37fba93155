/** The guest code that golden files are made of: small, and each telling about one thing that the JIT does. */
import type { Harts } from "../../packages/machine/src/codegen/runtime-functions.ts";

export interface Snippet {
  /** Name of its file. */
  readonly name: string;
  /** What to look for in it. */
  readonly shows: string;
  readonly source: string;
  /** Offset in the page where it begins; 0 unless it is about the page's end. */
  readonly at?: number;
  /** How many the guest has; one unless it is about what others may do meanwhile. */
  readonly harts?: Harts;
}

export const snippets: readonly Snippet[] = [
  {
    name: "alu-loop",
    shows: "A tight loop keeps its registers in locals; memory is touched where it is entered and left.",
    source: `
      loop: add a0, a0, a1
            xor a2, a2, a0
            slli a3, a2, 7
            sltu a4, a3, a0
            addi a1, a1, -1
            bnez a1, loop
            ret`,
  },
  {
    name: "words",
    shows: "32-bit arithmetic stays in i32, a rotation is found, and a word is widened once, where the block ends.",
    source: `
      addw a0, a0, a1
      slliw a2, a0, 7
      srliw a3, a0, 25
      or a2, a2, a3
      subw a0, a2, a1
      mulw a0, a0, a2
      rolw a0, a0, a1
      blt a0, a1, away
      sext.b a0, a0
      away: ret`,
  },
  {
    name: "load-store-loop",
    shows: "Loads and stores probe the TLB inline when the region is hot, and are short calls when it is cold.",
    source: `
      loop: ld a2, 0(a0)
            lbu a3, 8(a0)
            add a2, a2, a3
            sd a2, 16(a0)
            addi a0, a0, 32
            bltu a0, a1, loop
            ret`,
  },
  {
    name: "memcpy-loop",
    shows: "Two pointers, two TLB probes for each round, nothing else in memory.",
    source: `
      loop: ld t0, 0(a1)
            ld t1, 8(a1)
            sd t0, 0(a0)
            sd t1, 8(a0)
            addi a1, a1, 16
            addi a0, a0, 16
            addi a2, a2, -16
            bgtz a2, loop
            ret`,
  },
  {
    name: "call-and-return",
    shows: "A guest call is a WebAssembly call whose result is compared with the next pc; a return gives the pc.",
    source: `
      addi sp, sp, -16
      sd ra, 8(sp)
      call 256
      ld ra, 8(sp)
      addi sp, sp, 16
      addi a0, a0, 1
      ret`,
  },
  {
    name: "recursion",
    shows: "fib(n): the function calls itself through the target cache, and the places behind its calls are entries.",
    source: `
      fib:  addi a5, zero, 2
            blt a0, a5, base
            addi sp, sp, -32
            sd ra, 24(sp)
            sd s0, 16(sp)
            mv s0, a0
            addi a0, s0, -1
            call fib
            sd a0, 8(sp)
            addi a0, s0, -2
            call fib
            ld a5, 8(sp)
            add a0, a0, a5
            ld ra, 24(sp)
            ld s0, 16(sp)
            addi sp, sp, 32
      base: ret`,
  },
  {
    name: "diamond",
    shows: "Both arms of a branch are an if and an else that meet again.",
    source: `
      blt a0, a1, less
      sub a2, a0, a1
      j join
      less: sub a2, a1, a0
      join: add a3, a3, a2
      ret`,
  },
  {
    name: "irreducible-loop",
    shows: "A loop with two entries gets a dispatch node: edges choose by a local where it goes.",
    source: `
            beqz a0, middle
      head: addi a1, a1, 1
            beq a1, a2, out
      middle: addi a3, a3, 2
            bne a3, a4, head
      out:  ret`,
  },
  {
    name: "jump-table",
    shows: "A computed jump goes through the target cache as a tail call.",
    source: `
      bgeu a0, a2, default
      slli a0, a0, 3
      add a0, a0, a1
      ld a0, 0(a0)
      jalr zero, 0(a0)
      default: addi a0, zero, -1
      ret`,
  },
  {
    name: "atomics",
    harts: "several",
    shows: "Atomic operations are calls of the runtime module, atomic as the guest has several harts.",
    source: `
            amoadd.w.aqrl a2, a1, (a0)
            amoswap.d a3, a1, (a0)
      again: lr.w a4, (a0)
            add a4, a4, a1
            sc.w a5, a4, (a0)
            bnez a5, again
            fence
            ret`,
  },
  {
    name: "float",
    shows:
      "Doubles live in f64 locals; flags come out of checks beside the operation, the rounding mode out of a guard.",
    source: `
      loop: fld fa1, 0(a0)
            fmadd.d fa0, fa1, fa2, fa0, dyn
            fmul.d fa3, fa0, fa1, dyn
            flt.d a3, fa3, fa0
            add a2, a2, a3
            addi a0, a0, 8
            bne a0, a1, loop
            fcvt.w.d a0, fa0, rtz
            csrrs a1, 1, zero
            ret`,
  },
  {
    name: "csr-and-ecall",
    shows: "What may change anything is a call-out followed by a look at the signal; behind an ECALL is an entry.",
    source: `
      csrrs a0, 0xc01, zero
      csrrw a1, 0x140, a0
      addi a7, zero, 172
      ecall
      add a0, a0, a1
      ret`,
  },
  {
    name: "page-crossing",
    at: 4096 - 10,
    shows: "An instruction across two pages stands alone, and control that comes to another page checks where it is.",
    source: `
      loop: addi a0, a0, 1
            add a1, a1, a0
            xor a2, a2, a1
            addi a3, a3, 5
            bne a0, a4, loop
            ret`,
  },
];
