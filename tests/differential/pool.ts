/** The instructions that random programs are made of, sorted by what has to be set up for them. Derived from the table. */
import {
  type CompressedInstruction,
  compressedInstructions,
  extensions,
  extractFields,
  type Fields,
  type Instruction,
  insertFields,
  instructionNamed,
} from "@bulkhead/isa";
import type { Operation } from "./program.ts";
import type { Random } from "./random.ts";

export type ExtensionName = keyof typeof extensions;
type Form = Instruction | CompressedInstruction;

/** Registers only; memory at `imm(rs1)`; atomic memory at `(rs1)`; branches; direct and indirect jumps. */
const classes = {
  compute: ({ name, operands }: Form) => /^[rf]d(, ([rf]s[123]|imm|rm|rtz))*$/.test(operands) && name !== "jal",
  access: ({ name, operands }: Form) => operands.endsWith("imm(rs1)") && name !== "jalr",
  atomic: ({ name }: Form) => name.startsWith("amo"),
  branch: ({ operands }: Form) => operands === "rs1, rs2, imm",
  jump: ({ name }: Form) => name === "jal",
  jumpRegister: ({ name }: Form) => name === "jalr",
  fence: ({ name }: Form) => name === "fence" || name === "fence.i" || name === "pause",
};
export type PoolClass = keyof typeof classes;

export type Pool = Readonly<Record<PoolClass, readonly Form[]>> & { readonly extensions: ReadonlySet<ExtensionName> };

/** The pool of these extensions without some instructions; compressed forms go with the instruction they expand to. */
export function makePool(enabled: readonly ExtensionName[], without: ReadonlySet<string> = new Set()): Pool {
  const all: readonly Instruction[] = enabled.flatMap((name) => extensions[name]);
  const full = all.filter(({ name }) => !without.has(name));
  const names = new Set(full.map(({ name }) => name));
  const forms: readonly Form[] = [...full, ...compressedInstructions.filter(({ expansion }) => names.has(expansion))];
  const members = (belongs: (form: Form) => boolean) => forms.filter((form) => belongs(expansionOf(form)));
  return {
    compute: members(classes.compute),
    access: members(classes.access),
    atomic: members(classes.atomic),
    branch: members(classes.branch),
    jump: members(classes.jump),
    jumpRegister: members(classes.jumpRegister),
    fence: members(classes.fence),
    extensions: new Set(enabled),
  };
}

const isCompressed = (form: Form): form is CompressedInstruction => "expansion" in form;

/** The 32-bit instruction that a form stands for. */
export const expansionOf = (form: Form): Instruction => (isCompressed(form) ? instructionNamed(form.expansion) : form);

/** The operands of the 32-bit instruction that an operation stands for. */
export function expandedFields({ form, fields }: Operation): Partial<Fields<number>> {
  const written = extractFields(form, insertFields(form, fields));
  return isCompressed(form) ? form.expand(written) : written;
}

/** The integer registers that an operation writes. */
export function writtenRegisters(operation: Operation): number[] {
  const { name, operands } = expansionOf(operation.form);
  const { rd = 0 } = expandedFields(operation);
  if (!operands.startsWith("rd")) return [];
  return name === "amocas.q" ? [rd, rd + 1] : [rd];
}

/** The form with random operands that its encoding allows. */
export function randomOperation(random: Random, form: Form): Operation {
  for (;;) {
    const fields = extractFields(form, insertFields(form, randomFields(random, form)));
    if (isAllowed(form, fields)) return { form, fields };
  }
}

function randomFields(random: Random, form: Form): Fields<number> {
  const primed = isCompressed(form) ? form.primed : [];
  const register = (name: "rd" | "rs1" | "rs2" | "rs3") =>
    primed.includes(name) ? random.between(8, 15) : random.below(32);
  return {
    rd: register("rd"),
    rs1: register("rs1"),
    rs2: register("rs2"),
    rs3: register("rs3"),
    rm: random.chance(60) ? DYNAMIC_ROUNDING : random.below(ROUNDING_MODES),
    imm: random.chance(70) ? random.word() | 0 : random.pick([0, 1, -1, 2047, -2048, 31, 32, 63]),
    aq: random.below(2),
    rl: random.below(2),
  };
}

/** Rounding modes are 0 to 4; 7 in an instruction means the one in `frm`, and the rest are illegal. */
export const ROUNDING_MODES = 5;
const DYNAMIC_ROUNDING = 7;

/** QEMU 10.0 translates AMOCAS into x0 wrongly: it overwrites its translator's constant 0. */
function isAllowed(form: Form, fields: Fields<number>): boolean {
  if (isCompressed(form)) return form.accepts(fields);
  if (form.name.startsWith("amocas") && fields.rd === 0) return false;
  return form.name !== "amocas.q" || (fields.rd % 2 === 0 && fields.rs2 % 2 === 0);
}
