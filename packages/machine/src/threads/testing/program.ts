/** An assembler with labels for guests of several harts. Who calls it: tests only. */
import { addi, auipc, branch, csrrs, csrrw, ECALL, jal, li } from "../../sample-assembler.ts";

/** More registers by their ABI names. */
export const [ra, s0, s1, s2, s3, s4, s5, s6, t3, t4, t5] = [1, 8, 9, 18, 19, 20, 21, 22, 28, 29, 30];
const [zero, t0, a0, a6, a7] = [0, 5, 10, 16, 17];

const amo = (funct5: number, f3: number) => (rd: number, rs2: number, rs1: number) =>
  ((funct5 << 27) | (3 << 25) | (rs2 << 20) | (rs1 << 15) | (f3 << 12) | (rd << 7) | 0x2f) >>> 0;
export const amoadd = amo(0, 3);
export const amoswap = amo(1, 3);
export const amoxor = amo(4, 3);
export const lr = (rd: number, rs1: number) => amo(2, 3)(rd, 0, rs1);
export const sc = amo(3, 3);
export const amocasq = amo(5, 4);
const fenceOf = (predecessors: number, successors: number) => ((predecessors << 24) | (successors << 20) | 0x0f) >>> 0;
export const fence = fenceOf(3, 3);
export const fenceWrites = fenceOf(1, 1);
export const fenceReads = fenceOf(2, 2);
export const FENCE_I = 0x0000_100f;
export const sd = (rs2: number, rs1: number, imm: number) =>
  ((((imm >> 5) & 0x7f) << 25) | (rs2 << 20) | (rs1 << 15) | (3 << 12) | ((imm & 31) << 7) | 0x23) >>> 0;
export const slli = (rd: number, rs1: number, by: number) =>
  ((by << 20) | (rs1 << 15) | (1 << 12) | (rd << 7) | 0x13) >>> 0;
export const jalr = (rd: number, rs1: number) => ((rs1 << 15) | (rd << 7) | 0x67) >>> 0;

type Item = number | ((at: number, target: (label: string) => number) => number);

export class Program {
  readonly #items: Item[] = [];
  readonly #labels = new Map<string, number>();
  #fresh = 0;

  /** Appends instructions. */
  do(...words: number[]): this {
    this.#items.push(...words);
    return this;
  }

  label(name: string): this {
    if (this.#labels.has(name)) throw new Error(`the label ${name} is there already`);
    this.#labels.set(name, this.#items.length * 4);
    return this;
  }

  /** A name that no label has yet. */
  fresh(): string {
    return `.${this.#fresh++}`;
  }

  #branch(f3: number, rs1: number, rs2: number, label: string): this {
    this.#items.push((at, target) => branch(f3, rs1, rs2, target(label) - at));
    return this;
  }
  beq = (rs1: number, rs2: number, label: string): this => this.#branch(0, rs1, rs2, label);
  bne = (rs1: number, rs2: number, label: string): this => this.#branch(1, rs1, rs2, label);
  bltu = (rs1: number, rs2: number, label: string): this => this.#branch(6, rs1, rs2, label);
  jump(label: string, link = 0): this {
    this.#items.push((at, target) => jal(target(label) - at) | (link << 7));
    return this;
  }

  /** The address of a label, which has to be less than 2 KiB away. */
  address(rd: number, label: string): this {
    this.#items.push(auipc(rd, 0), (at, target) => addi(rd, rd, target(label) - at + 4));
    return this;
  }

  /** The 64-bit constant of an address in RAM. */
  pointer(rd: number, address: number): this {
    return this.do(...li(rd, address - 0x8000_0000), addi(t0, zero, 1), slli(t0, t0, 31), add(rd, rd, t0));
  }

  /** An SBI call whose arguments are in `a0` and up already, if they are not given. */
  sbi(extension: number, fid: number, ...args: number[]): this {
    for (const [i, value] of args.entries()) this.do(...li(a0 + i, value));
    return this.do(...li(a7, extension), ...li(a6, fid), ECALL);
  }

  /** Repeats what `body` appends `count` times; `counter` is a register of its own. */
  repeat(counter: number, count: number, body: () => void): this {
    const again = this.fresh();
    this.do(...li(counter, count)).label(again);
    body();
    return this.do(addi(counter, counter, -1)).bne(counter, zero, again);
  }

  words(): number[] {
    const target = (label: string): number => this.#labels.get(label) ?? Number.NaN;
    return this.#items.map((item, index) => (typeof item === "number" ? item : item(index * 4, target)));
  }
}

const add = (rd: number, rs1: number, rs2: number) => ((rs2 << 20) | (rs1 << 15) | (rd << 7) | 0x33) >>> 0;

export { csrrs, csrrw };
