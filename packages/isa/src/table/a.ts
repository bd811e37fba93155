/** Atomics; every access is sequentially consistent, which satisfies any `aq` and `rl`. @spec unprivileged "A Extension" */
import { type Instruction, instruction } from "../instruction.ts";
import type { AtomicOperation } from "../operations.ts";

const widths = [
  { suffix: "w", bytes: 4, funct3: "010" },
  { suffix: "d", bytes: 8, funct3: "011" },
] as const;

const amo = (operation: AtomicOperation, funct5: string): Instruction[] =>
  widths.map(({ suffix, bytes, funct3 }) =>
    instruction(`amo${operation}.${suffix} rd, rs2, (rs1)`, `${funct5} aq rl rs2 rs1 ${funct3} rd 0101111`, (o, f) =>
      o.setX(f.rd, o.atomic(operation, bytes, o.x(f.rs1), o.x(f.rs2))),
    ),
  );

export const a = [
  ...widths.map(({ suffix, bytes, funct3 }) =>
    instruction(`lr.${suffix} rd, (rs1)`, `00010 aq rl 00000 rs1 ${funct3} rd 0101111`, (o, f) =>
      o.setX(f.rd, o.loadReserved(bytes, o.x(f.rs1))),
    ),
  ),
  ...widths.map(({ suffix, bytes, funct3 }) =>
    instruction(`sc.${suffix} rd, rs2, (rs1)`, `00011 aq rl rs2 rs1 ${funct3} rd 0101111`, (o, f) =>
      o.setX(f.rd, o.storeConditional(bytes, o.x(f.rs1), o.x(f.rs2))),
    ),
  ),
  ...amo("swap", "00001"),
  ...amo("add", "00000"),
  ...amo("xor", "00100"),
  ...amo("and", "01100"),
  ...amo("or", "01000"),
  ...amo("min", "10000"),
  ...amo("max", "10100"),
  ...amo("minu", "11000"),
  ...amo("maxu", "11100"),
];

/** Compare-and-swap. @spec unprivileged "Zacas" */
export const zacas = [
  ...widths.map(({ suffix, bytes, funct3 }) =>
    instruction(`amocas.${suffix} rd, rs2, (rs1)`, `00101 aq rl rs2 rs1 ${funct3} rd 0101111`, (o, f) =>
      o.setX(f.rd, o.compareExchange(bytes, o.x(f.rs1), o.x(f.rd), o.x(f.rs2))),
    ),
  ),
  instruction("amocas.q rd, rs2, (rs1)", "00101 aq rl rs2 rs1 100 rd 0101111", (o, f) =>
    o.compareExchangePair(f.rd, f.rs2, o.x(f.rs1)),
  ),
];

/** Waits on a reservation set. @spec unprivileged "Zawrs" */
export const zawrs = [
  instruction("wrs.nto", "000000001101 00000 000 00000 1110011", (o) =>
    o.system("wrs.nto", o.constant(0n), o.constant(0n)),
  ),
  instruction("wrs.sto", "000000011101 00000 000 00000 1110011", (o) =>
    o.system("wrs.sto", o.constant(0n), o.constant(0n)),
  ),
];
