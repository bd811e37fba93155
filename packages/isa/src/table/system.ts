/** CSR access, privileged and cache-block instructions. */
import { type Instruction, instruction } from "../instruction.ts";
import type { CsrOperation, Operations, SystemOperation } from "../operations.ts";

const csrForms: [string, CsrOperation][] = [
  ["rw", "write"],
  ["rs", "set"],
  ["rc", "clear"],
];

/** @spec unprivileged "Zicsr Extension for Control and Status Register Access" */
export const zicsr = csrForms.flatMap(([letters, operation], index) => [
  instruction(
    `csr${letters} rd, csr, rs1`,
    `uimm[11:0] rs1 0${(index + 1).toString(2).padStart(2, "0")} rd 1110011`,
    (o, f) => o.csr(operation, f.rd, f.imm, f.rs1, o.x(f.rs1)),
  ),
  instruction(
    `csr${letters}i rd, csr, zimm`,
    `uimm[11:0] rs1 1${(index + 1).toString(2).padStart(2, "0")} rd 1110011`,
    (o, f) => o.csr(operation, f.rd, f.imm, f.rs1, o.immediate(f.rs1)),
  ),
]);

const system = (name: string, encoding: string): Instruction =>
  instruction(name, encoding, (o) => o.system(name as SystemOperation, o.constant(0n), o.constant(0n)));

/** Which address or ASID a fence is for: `x0` means all of them, written as -1. */
const registerOrAll = <V, F>(o: Operations<V, F>, register: F): V =>
  o.select(o.isX0(register), o.constant(-1n), o.x(register));

/** @spec privileged "Machine-Mode Privileged Instructions", "Supervisor Instructions" */
export const privileged = [
  system("mret", "001100000010 00000 000 00000 1110011"),
  system("sret", "000100000010 00000 000 00000 1110011"),
  system("wfi", "000100000101 00000 000 00000 1110011"),
  instruction("sfence.vma rs1, rs2", "0001001 rs2 rs1 000 00000 1110011", (o, f) =>
    o.system("sfence.vma", registerOrAll(o, f.rs1), registerOrAll(o, f.rs2)),
  ),
];

/** Fine-grained address-translation invalidation. @spec privileged "Svinval" */
export const svinval = [
  instruction("sinval.vma rs1, rs2", "0001011 rs2 rs1 000 00000 1110011", (o, f) =>
    o.system("sinval.vma", registerOrAll(o, f.rs1), registerOrAll(o, f.rs2)),
  ),
  system("sfence.w.inval", "000110000000 00000 000 00000 1110011"),
  system("sfence.inval.ir", "000110000001 00000 000 00000 1110011"),
];

const cacheBlock = (name: SystemOperation, encoding: string): Instruction =>
  instruction(`${name} (rs1)`, encoding, (o, f) => o.system(name, o.x(f.rs1), o.constant(0n)));

/** Cache-block management. @spec unprivileged "Cache Management Operation Extensions" */
export const zicbom = [
  cacheBlock("cbo.inval", "000000000000 rs1 010 00000 0001111"),
  cacheBlock("cbo.clean", "000000000001 rs1 010 00000 0001111"),
  cacheBlock("cbo.flush", "000000000010 rs1 010 00000 0001111"),
];

/** Cache-block zeroing. */
export const zicboz = [cacheBlock("cbo.zero", "000000000100 rs1 010 00000 0001111")];
