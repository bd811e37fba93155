/**
 * How a CSR is declared, and how Zicsr instructions read and write it. @spec unprivileged "Zicsr", privileged "CSR
 * Field Specifications". The declarations are in csr-table.ts. Values travel as two 32-bit halves: traps of a
 * kernel run through here.
 */
import type { Hart } from "./hart.ts";
import { Slot } from "./state.ts";

/**
 * A CSR is a window on a slot: `fixed` bits always read 1, others come from the slot where `reads` has them; `writes`
 * says which a write changes. Reading and writing may be replaced altogether.
 */
export interface CsrDeclaration {
  readonly number: number;
  readonly name: string;
  readonly slot?: number;
  readonly reads?: bigint;
  readonly writes?: bigint;
  readonly fixed?: bigint;
  /** Other threads change bits of the slot's low half too: writes are atomic. */
  readonly shared?: true;
  /** A slot whose bits limit both masks further. */
  readonly through?: number;
  /** Whether the current mode may access it, beyond what its number says. */
  readonly allowed?: (hart: Hart) => boolean;
  /** Brings the slot up to date before any access. */
  readonly prepare?: (hart: Hart) => void;
  /** Makes a value legal: the low half from the old and the wanted one. */
  readonly legalize?: (old: number, wanted: number) => number;
  /** After a write, with the low half as it was and is. */
  readonly changed?: (hart: Hart, old: number, now: number) => void;
  /** Replaces reading: leaves the value in `hart.low` and `hart.high`. */
  readonly read?: (hart: Hart) => void;
  /** Replaces writing. */
  readonly write?: (hart: Hart, low: number, high: number) => void;
}

/** A declaration prepared for the hot path: its masks in halves, its number taken apart. */
export class Csr {
  readonly declaration: CsrDeclaration;
  readonly privilege: number;
  readonly readOnly: boolean;
  readonly allowed: ((hart: Hart) => boolean) | undefined;
  readonly #slot: number;
  readonly #readLow: number;
  readonly #readHigh: number;
  readonly #writeLow: number;
  readonly #writeHigh: number;
  readonly #fixedLow: number;
  readonly #fixedHigh: number;
  readonly #through: number;
  readonly #shared: boolean;
  readonly #prepare: ((hart: Hart) => void) | undefined;
  readonly #legalize: ((old: number, wanted: number) => number) | undefined;
  readonly #changed: ((hart: Hart, old: number, now: number) => void) | undefined;
  readonly #read: ((hart: Hart) => void) | undefined;
  readonly #write: ((hart: Hart, low: number, high: number) => void) | undefined;

  constructor(declaration: CsrDeclaration) {
    const constant = declaration.slot === undefined;
    const reads = declaration.reads ?? (constant ? 0n : -1n);
    const writes = constant ? 0n : (declaration.writes ?? -1n);
    const fixed = declaration.fixed ?? 0n;
    this.declaration = declaration;
    this.privilege = (declaration.number >> 8) & 3;
    this.readOnly = declaration.number >> 10 === 3;
    this.allowed = declaration.allowed;
    this.#slot = declaration.slot ?? Slot.zero;
    this.#readLow = lowHalf(reads);
    this.#readHigh = highHalf(reads);
    this.#writeLow = lowHalf(writes);
    this.#writeHigh = highHalf(writes);
    this.#fixedLow = lowHalf(fixed);
    this.#fixedHigh = highHalf(fixed);
    this.#through = declaration.through ?? -1;
    this.#shared = declaration.shared ?? false;
    this.#prepare = declaration.prepare;
    this.#legalize = declaration.legalize;
    this.#changed = declaration.changed;
    this.#read = declaration.read;
    this.#write = declaration.write;
  }

  /** Leaves the value in `hart.low` and `hart.high`. */
  read(hart: Hart): void {
    if (this.#prepare !== undefined) this.#prepare(hart);
    if (this.#read !== undefined) {
      this.#read(hart);
      return;
    }
    const words = hart.words;
    let low = words[this.#slot] & this.#readLow;
    let high = words[this.#slot + 1] & this.#readHigh;
    if (this.#through >= 0) {
      low &= words[this.#through];
      high &= words[this.#through + 1];
    }
    hart.low = low | this.#fixedLow;
    hart.high = high | this.#fixedHigh;
  }

  /** Applies an operation of `csrOperations` after `read`; set and clear start from what is stored, not from what is seen. */
  update(hart: Hart, operation: number, low: number, high: number): void {
    if (this.#write !== undefined) {
      if (operation === 0) this.#write(hart, low, high);
      else if (operation === 1) this.#write(hart, hart.low | low, hart.high | high);
      else this.#write(hart, hart.low & ~low, hart.high & ~high);
      return;
    }
    const words = hart.words;
    const slot = this.#slot;
    let maskLow = this.#writeLow;
    let maskHigh = this.#writeHigh;
    if (this.#through >= 0) {
      maskLow &= words[this.#through];
      maskHigh &= words[this.#through + 1];
    }
    let old = words[slot];
    let now = combine(operation, old, low, maskLow);
    if (this.#legalize !== undefined) now = this.#legalize(old, now);
    if (this.#shared) {
      for (let seen = old; ; old = seen, now = combine(operation, old, low, maskLow)) {
        seen = Atomics.compareExchange(words, slot, old, now);
        if (seen === old) break;
      }
    } else words[slot] = now;
    words[slot + 1] = combine(operation, words[slot + 1], high, maskHigh);
    if (this.#changed !== undefined) this.#changed(hart, old, now);
  }
}

function combine(operation: number, old: number, value: number, mask: number): number {
  if (operation === 0) return (old & ~mask) | (value & mask);
  return operation === 1 ? old | (value & mask) : old & ~(value & mask);
}

const lowHalf = (value: bigint): number => Number(BigInt.asIntN(32, value));
const highHalf = (value: bigint): number => Number(BigInt.asIntN(32, value >> 32n));
