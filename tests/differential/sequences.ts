/** Straight sequences of a random program: single instructions, and those that need an address or a valid operand first. */
import { instructionNamed } from "@bulkhead/isa";
import { expandedFields, type Pool, ROUNDING_MODES, randomOperation, writtenRegisters } from "./pool.ts";
import { type Operation, SCRATCH_REACH } from "./program.ts";
import type { Random } from "./random.ts";

/** Registers that must not be written here: the base, counters and links of what is around, and pending addresses. */
export type Reserved = ReadonlySet<number>;

/** What a sequence is made from. */
export interface Context {
  readonly random: Random;
  readonly pool: Pool;
  /** The register that points to the middle of the scratch memory. */
  readonly base: number;
}

const [FFLAGS, FRM, FCSR] = [1, 2, 3];

/** A 32-bit instruction by name. */
export const operation = (name: string, fields: Operation["fields"]): Operation => ({
  form: instructionNamed(name),
  fields,
});

/** A register that may be written, and is not x0. */
export function freeRegister({ random }: Context, reserved: Reserved): number {
  for (;;) {
    const register = random.between(1, 31);
    if (!reserved.has(register)) return register;
  }
}

export function leavesAlone(candidate: Operation, reserved: Reserved): boolean {
  return writtenRegisters(candidate).every((register) => !reserved.has(register));
}

/** A random instruction of a class that writes no reserved register. */
export function harmless({ random, pool }: Context, name: "compute" | "fence", reserved: Reserved): Operation {
  for (;;) {
    const candidate = randomOperation(random, random.pick(pool[name]));
    if (leavesAlone(candidate, reserved)) return candidate;
  }
}

/** One to four loads and stores off one address register, at any alignment. */
export function memoryAccess(context: Context, reserved: Reserved): Operation[] {
  const { random, pool, base } = context;
  for (;;) {
    const first = randomOperation(random, random.pick(pool.access));
    const { rs1: address = 0, imm = 0 } = expandedFields(first);
    const distance = scratchOffset(random) - imm;
    const usable = address !== 0 && address !== base && !reserved.has(address);
    if (!usable || !fitsImmediate(distance) || !leavesAlone(first, reserved)) continue;
    const further = furtherAccesses(context, new Set([...reserved, address]), address, distance);
    const setup = operation("addi", { rd: address, rs1: base, imm: distance });
    return [setup, ...(leavesAlone(first, new Set([address])) ? [first, ...further] : [...further, first])];
  }
}

function furtherAccesses({ random, pool }: Context, reserved: Reserved, address: number, distance: number) {
  const further: Operation[] = [];
  for (let wanted = random.below(4); wanted > 0; wanted--) {
    const { form, fields } = randomOperation(random, random.pick(pool.access));
    const candidate = { form, fields: { ...fields, rs1: address, imm: scratchOffset(random) - distance } };
    const fits = form.length === 4 && fitsImmediate(candidate.fields.imm);
    if (fits && leavesAlone(candidate, reserved)) further.push(candidate);
  }
  return further;
}

const fitsImmediate = (value: number): boolean => value >= -2048 && value <= 2047;

/** Offset from the base of eight bytes of scratch memory: often aligned, often across the page boundary. */
function scratchOffset(random: Random): number {
  if (random.chance(15)) return random.between(-8, 0);
  const offset = random.between(-SCRATCH_REACH, SCRATCH_REACH - 8);
  return random.chance(50) ? offset & ~7 : offset;
}

const alignedOffset = (random: Random, bytes: number): number =>
  random.between(-SCRATCH_REACH / bytes, SCRATCH_REACH / bytes - 1) * bytes;

/** An atomic memory operation on an aligned address. */
export function atomicAccess(context: Context, reserved: Reserved): Operation[] {
  const { random, pool, base } = context;
  const address = freeRegister(context, reserved);
  for (;;) {
    const { form, fields } = randomOperation(random, random.pick(pool.atomic));
    const candidate = { form, fields: { ...fields, rs1: address } };
    if (!leavesAlone(candidate, reserved)) continue;
    return [operation("addi", { rd: address, rs1: base, imm: alignedOffset(random, 16) }), candidate];
  }
}

/** LR, a little arithmetic, SC to the same address, and sometimes a second SC, which has to fail. */
export function reservationPair(context: Context, reserved: Reserved): Operation[] {
  const { random, base } = context;
  const address = freeRegister(context, reserved);
  const held = new Set([...reserved, address]);
  const size = random.pick(["w", "d"]);
  const operands = () => ({ rd: freeRegister(context, held), rs1: address, rs2: random.below(32) });
  return [
    operation("addi", { rd: address, rs1: base, imm: alignedOffset(random, 8) }),
    operation(`lr.${size}`, { ...operands(), rs2: 0, aq: random.below(2) }),
    ...Array.from({ length: random.below(4) }, () => harmless(context, "compute", held)),
    operation(`sc.${size}`, { ...operands(), rl: random.below(2) }),
    ...(random.chance(20) ? [operation(`sc.${size}`, operands())] : []),
  ];
}

/** CBO.ZERO, CBO.CLEAN … on a block of scratch memory. CBO.INVAL is left out: it may lose stores. */
export function cacheBlock(context: Context, reserved: Reserved): Operation[] {
  const { random, pool, base } = context;
  const names = [
    ...(pool.extensions.has("zicboz") ? ["cbo.zero"] : []),
    ...(pool.extensions.has("zicbom") ? ["cbo.clean", "cbo.flush"] : []),
  ];
  if (names.length === 0) return [];
  const address = freeRegister(context, reserved);
  const imm = random.between(-SCRATCH_REACH, SCRATCH_REACH - 1);
  return [operation("addi", { rd: address, rs1: base, imm }), operation(random.pick(names), { rs1: address })];
}

/** An access to `fflags`, `frm` or `fcsr` that leaves a valid rounding mode. */
export function floatControl(context: Context, reserved: Reserved): Operation[] {
  const { random } = context;
  const register = freeRegister(context, reserved);
  const rd = random.chance(20) ? 0 : freeRegister(context, reserved);
  const verb = random.pick(["csrrw", "csrrs", "csrrc"]);
  const rs1 = random.below(32);
  return random.pick<() => Operation[]>([
    () => [operation(verb, { rd, rs1, imm: FFLAGS })],
    () => [operation(`${verb}i`, { rd, rs1, imm: FFLAGS })],
    () => [operation("csrrwi", { rd, rs1: random.below(ROUNDING_MODES), imm: FRM })],
    () => [operation("csrrc", { rd, rs1, imm: random.pick([FRM, FCSR]) })],
    () => [operation(random.pick(["csrrsi", "csrrci"]), { rd, rs1, imm: FCSR })],
    () => [operation("csrrs", { rd, rs1: 0, imm: random.pick([FFLAGS, FRM, FCSR]) })],
    () => [
      operation("andi", { rd: register, rs1, imm: (4 << 5) | 31 }),
      operation("csrrw", { rd, rs1: register, imm: FCSR }),
    ],
  ])();
}
