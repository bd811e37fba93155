/** Sequences of a random program that trap, or may: what the kernel below it counts, skips and mends. */
import { instructionNamed } from "@bulkhead/isa";
import { randomOperation } from "../../differential/pool.ts";
import type { Operation } from "../../differential/program.ts";
import { type Context, freeRegister, leavesAlone, operation, type Reserved } from "../../differential/sequences.ts";
import { WINDOW_BASE, WINDOWS } from "./kernel.ts";

const PAGE = 4096;

/** An address that may be anything in a window, and often is where its page ends or nothing is at all. */
function wildAddress({ random }: Context, register: number): Operation[] {
  const page = WINDOW_BASE + PAGE * random.below(WINDOWS + 2);
  const low = random.chance(40) ? random.between(-8, 8) : random.between(0, 2047);
  const set = [
    operation("lui", { rd: register, imm: page }),
    operation("addi", { rd: register, rs1: register, imm: low }),
  ];
  if (!random.chance(8)) return set;
  return random.pick([
    () => [operation("addi", { rd: register, rs1: 0, imm: random.between(-2048, 2047) })],
    () => [operation("lui", { rd: register, imm: 0x8000_0000 | 0 })],
    // No address of Sv39 at all.
    () => [...set, operation("slli", { rd: register, rs1: register, imm: random.between(9, 33) })],
  ])();
}

/** A load or store, or two, of any kind and alignment. */
export function wildAccess(context: Context, reserved: Reserved): Operation[] {
  const { random, pool } = context;
  const address = freeRegister(context, reserved);
  const held = new Set([...reserved, address]);
  const access = (): Operation => {
    for (;;) {
      const { form, fields } = randomOperation(random, random.pick(pool.access));
      if (form.length === 2) continue;
      const candidate = {
        form,
        fields: { ...fields, rs1: address, imm: random.chance(70) ? random.between(-8, 8) : fields.imm },
      };
      if (leavesAlone(candidate, held)) return candidate;
    }
  };
  return [...wildAddress(context, address), access(), ...(random.chance(30) ? [access()] : [])];
}

/** An atomic access in a window; one in four is not aligned. */
export function wildAtomic(context: Context, reserved: Reserved): Operation[] {
  const { random, pool } = context;
  const address = freeRegister(context, reserved);
  const held = new Set([...reserved, address]);
  for (;;) {
    const { form, fields } = randomOperation(random, random.pick(pool.atomic));
    const candidate = { form, fields: { ...fields, rs1: address } };
    if (!leavesAlone(candidate, held)) continue;
    const align = random.chance(25) ? [] : [operation("andi", { rd: address, rs1: address, imm: -16 })];
    return [...wildAddress(context, address), ...align, candidate];
  }
}

/** A word as an instruction of its own. */
function word(value: number, length: 2 | 4): Operation {
  const withoutOperands = instructionNamed("ecall");
  return { form: { ...withoutOperands, name: ".word", length, mask: -1, match: value >>> 0 }, fields: {} };
}

/** What U-mode must not do, and what nobody can. */
export function forbidden(context: Context, reserved: Reserved): Operation[] {
  const { random } = context;
  const rd = freeRegister(context, reserved);
  return random.pick<() => Operation[]>([
    () => [word(0, 2)],
    () => [word(0xffff_ffff, 4)],
    () => [word(0x0000_707f, 4)],
    () => [operation("csrrw", { rd, rs1: random.below(32), imm: 0x100 })],
    () => [operation("csrrs", { rd, rs1: 0, imm: 0x342 })],
    () => [operation("csrrw", { rd, rs1: random.below(32), imm: 0xc00 })],
    () => [operation("sret", {})],
    () => [operation("mret", {})],
    () => [operation("sfence.vma", { rs1: random.below(32), rs2: random.below(32) })],
    () => [operation("fadd.d", { rd, rs1: 1, rs2: 2, rm: 5 })],
    () => [operation("ebreak", {})],
    () => [word(0x9002, 2)],
  ])();
}

/** A call of the kernel, which does something that nobody asked for. */
export const call = (): Operation[] => [operation("ecall", {})];

/** A jump to where no code is; the address says which register leads back. */
export function wildJump(context: Context, reserved: Reserved): Operation[] {
  const { random } = context;
  const link = freeRegister(context, reserved);
  const target = freeRegister(context, new Set([...reserved, link]));
  if (link === 2) return [];
  // Behind the windows that there are, or an address beyond all.
  const page = random.pick([WINDOW_BASE + PAGE * (WINDOWS + random.below(4)), 0x1000_0000]);
  const low = link * 16 + random.pick([0, 2]);
  return [operation("lui", { rd: target, imm: page }), operation("jalr", { rd: link, rs1: target, imm: low })];
}
