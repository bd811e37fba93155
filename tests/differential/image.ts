/**
 * A batch of programs as one memory image: their code one behind the other, then a page of data for each. A program takes its
 * initial state from its page and leaves its final state there, so the image before and after is all there is to compare.
 */
import { assemble, Code } from "./assemble.ts";
import { type Program, SCRATCH_REACH } from "./program.ts";

const PAGE = 4096;

/** Where images start: the bottom of RAM here, and an address that user-mode QEMU has free. */
export const IMAGE_BASE = 0x8000_0000;

/** Parts of a program's data, from the address in its base register, which is the beginning of a page. */
const X_OFFSET = -2048;
const F_OFFSET = X_OFFSET + 32 * 8;
const FCSR_OFFSET = F_OFFSET + 32 * 8;
const SCRATCH_OFFSET = -SCRATCH_REACH;

const FCSR = 3;
const SYS_WRITE = 64;
const SYS_EXIT = 93;

export interface Image {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly programs: readonly Program[];
  /** Addresses at which the programs start, and behind them that of the code that writes the data out and exits. */
  readonly entries: readonly number[];
  /** Offset of the programs' data in the image. */
  readonly dataOffset: number;
}

/** Lays out a batch. Execution starts at `IMAGE_BASE` and runs through all programs. */
export function buildImage(programs: readonly Program[]): Image {
  const bodies = programs.map(({ items }) => assemble(items));
  const codeBytes = bodies.reduce((sum, body) => sum + body.length + FRAME_BYTES, EXIT_BYTES);
  const dataOffset = Math.ceil(codeBytes / PAGE) * PAGE;
  const dataBytes = (programs.length + 1) * PAGE;

  const code = new Code();
  const entries = programs.map(({ base }, index) => {
    const entry = code.length;
    const middle = baseOffset(dataOffset, index);
    addPrologue(code, base, middle);
    code.append(bodies[index]!);
    addEpilogue(code, base, middle);
    return IMAGE_BASE + entry;
  });
  entries.push(IMAGE_BASE + code.length);
  addExit(code, dataOffset, dataBytes);

  const bytes = new Uint8Array(dataOffset + dataBytes);
  bytes.set(code.bytes);
  programs.forEach((program, index) => {
    writeState(new DataView(bytes.buffer), baseOffset(dataOffset, index), program);
  });
  return { bytes, programs, entries, dataOffset };
}

/** Offset in the image of the middle of a program's scratch memory: its data reaches from 2048 below to 512 above. */
const baseOffset = (dataOffset: number, index: number): number => dataOffset + (index + 1) * PAGE;

function writeState(view: DataView, base: number, { initial }: Program): void {
  const put = (offset: number, value: bigint, index = 0) => view.setBigUint64(base + offset + 8 * index, value, true);
  initial.x.forEach((value, index) => {
    put(X_OFFSET, value, index);
  });
  initial.f.forEach((value, index) => {
    put(F_OFFSET, value, index);
  });
  put(FCSR_OFFSET, BigInt(initial.fcsr));
  initial.scratch.forEach((value, index) => {
    put(SCRATCH_OFFSET, value, index);
  });
}

const allRegisters = Array.from({ length: 32 }, (_, register) => register);

/** Loads the program's registers; the base register is last and keeps its address. */
function addPrologue(code: Code, base: number, middle: number): void {
  addAddress(code, base, middle);
  for (const register of allRegisters) code.add("fld", { rd: register, rs1: base, imm: F_OFFSET + 8 * register });
  const first = base === 1 ? 2 : 1;
  code.add("ld", { rd: first, rs1: base, imm: FCSR_OFFSET }).add("csrrw", { rd: 0, rs1: first, imm: FCSR });
  for (const register of allRegisters) {
    if (register !== base) code.add("ld", { rd: register, rs1: base, imm: X_OFFSET + 8 * register });
  }
}

/** Stores the program's registers; all but the base register, which is not the program's. */
function addEpilogue(code: Code, base: number, middle: number): void {
  addAddress(code, base, middle);
  for (const register of allRegisters) {
    if (register !== base) code.add("sd", { rs2: register, rs1: base, imm: X_OFFSET + 8 * register });
  }
  for (const register of allRegisters) code.add("fsd", { rs2: register, rs1: base, imm: F_OFFSET + 8 * register });
  code.add("csrrs", { rd: 1, rs1: 0, imm: FCSR });
  addAddress(code, 2, middle);
  code.add("sd", { rs2: 1, rs1: 2, imm: FCSR_OFFSET });
}

/** Writes the data to standard output and exits with 0: Linux's system calls. */
function addExit(code: Code, dataOffset: number, dataBytes: number): void {
  const [a0, a1, a2, a7] = [10, 11, 12, 17];
  addAddress(code, a1, dataOffset);
  code.add("lui", { rd: a2, imm: dataBytes });
  code.add("addi", { rd: a0, rs1: 0, imm: 1 }).add("addi", { rd: a7, rs1: 0, imm: SYS_WRITE }).add("ecall", {});
  code.add("addi", { rd: a0, rs1: 0, imm: 0 }).add("addi", { rd: a7, rs1: 0, imm: SYS_EXIT }).add("ecall", {});
}

/** Puts the address of an offset in the image, the beginning of a page, into a register. */
function addAddress(code: Code, register: number, offset: number): void {
  const distance = offset - code.length;
  const low = (distance << 20) >> 20;
  code.add("auipc", { rd: register, imm: (distance - low) | 0 });
  code.add("addi", { rd: register, rs1: register, imm: low });
}

const measure = (add: (code: Code) => void): number => {
  const code = new Code();
  add(code);
  return code.length;
};

/** Sizes of what is around each program and at the end; they do not depend on the operands. */
const FRAME_BYTES = measure((code) => {
  addPrologue(code, 1, 0);
  addEpilogue(code, 1, 0);
});
const EXIT_BYTES = measure((code) => addExit(code, 0, PAGE));

/** A place in a program's data where two final images differ. */
export interface Difference {
  /** `x5`, `f3`, `fcsr` or `scratch[-8]`. */
  readonly place: string;
  readonly expected: bigint;
  readonly actual: bigint;
}

/** Compares the data of one program, doubleword by doubleword. */
export function differences(index: number, expected: Uint8Array, actual: Uint8Array): Difference[] {
  const [left, right] = [expected, actual].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  const found: Difference[] = [];
  for (const { place, offset } of places) {
    const at = baseOffset(0, index) + offset;
    const [a, b] = [left!.getBigUint64(at, true), right!.getBigUint64(at, true)];
    if (a !== b) found.push({ place, expected: a, actual: b });
  }
  return found;
}

const places: readonly { place: string; offset: number }[] = [
  ...allRegisters.map((register) => ({ place: `x${register}`, offset: X_OFFSET + 8 * register })),
  ...allRegisters.map((register) => ({ place: `f${register}`, offset: F_OFFSET + 8 * register })),
  { place: "fcsr", offset: FCSR_OFFSET },
  ...Array.from({ length: (2 * SCRATCH_REACH) / 8 }, (_, index) => ({
    place: `scratch[${8 * index - SCRATCH_REACH}]`,
    offset: SCRATCH_OFFSET + 8 * index,
  })),
];
