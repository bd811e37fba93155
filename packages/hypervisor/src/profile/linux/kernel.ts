/**
 * A running Linux kernel as it is found in a guest's memory: its symbols, the offsets of its structures and its modules.
 * Who calls it: `LinuxGuest`. Nothing in the guest helps or knows.
 */
import type { GuestView } from "@bulkhead/machine";
import { type FunctionSymbol, SymbolTable } from "../symbol-table.ts";
import { Btf } from "./btf.ts";
import { findKallsyms, type Kallsyms } from "./kallsyms.ts";
import { KernelMemory } from "./kernel-memory.ts";
import { type Module, readModules } from "./modules.ts";
import { readStructures, type Structures } from "./structures.ts";

/** How far up in RAM a kernel is looked for. */
const MOST_SEARCHED = 512 << 20;
/** Of symbols at one address a global one names it. */
const RANKS: Readonly<Record<string, number>> = { T: 3, t: 2, W: 1 };
const MOST_BTF_BYTES = 64 << 20;

export class LinuxKernel {
  readonly #view: GuestView;
  readonly #addresses: ReadonlyMap<string, bigint>;
  readonly #code: SymbolTable;
  /** The addresses of the kernel itself; its modules lie elsewhere. */
  readonly #start: bigint;
  readonly #end: bigint;
  #modules: readonly Module[] = [];
  /** Undefined where the kernel has no type information, or none that suffices: then processes stay unknown. */
  readonly structures: Structures | undefined;

  /** Undefined while no kernel with symbols is in memory. @param satp an address space in which it runs. */
  static find(view: GuestView, satp: bigint): LinuxKernel | undefined {
    const { ramOffset, ramSize } = view.image;
    const ram = view.bytes.subarray(ramOffset, ramOffset + Math.min(ramSize, MOST_SEARCHED));
    const symbols = findKallsyms(ram);
    // Before the kernel has relocated itself its base is 0.
    return symbols === undefined || symbols.base === 0n ? undefined : new LinuxKernel(view, satp, symbols);
  }

  /** For `find` only. */
  constructor(view: GuestView, satp: bigint, symbols: Kallsyms) {
    this.#view = view;
    const addresses = new Map<string, bigint>();
    const code: FunctionSymbol[] = [];
    for (const [i, name] of symbols.names.entries()) {
      const address = symbols.base + BigInt(symbols.offsets[i]);
      const rank = RANKS[symbols.types[i]];
      if (rank !== undefined) code.push({ name, address, size: 0, rank: 2 * rank - (name.startsWith("_") ? 1 : 0) });
      if (!addresses.has(name)) addresses.set(name, address);
    }
    this.#addresses = addresses;
    this.#code = new SymbolTable(code);
    this.#start = symbols.base;
    this.#end = addresses.get("_end") ?? symbols.base + BigInt(symbols.offsets.at(-1)!);
    this.structures = this.#readStructures(satp);
  }

  /** Virtual address of a symbol. */
  address(name: string): bigint | undefined {
    return this.#addresses.get(name);
  }

  /** Name of the function at a virtual address, a module's in brackets behind it. */
  function(address: bigint): string | undefined {
    if (address >= this.#start && address < this.#end) return this.#code.find(address)?.name;
    for (const { name, code, symbols } of this.#modules) {
      const part = code.find(({ start, bytes }) => address >= start && address < start + bytes);
      if (part === undefined) continue;
      return `${symbols.find(address)?.name ?? `0x${(address - part.start).toString(16)}`} [${name}]`;
    }
    return undefined;
  }

  /** Reads which modules are loaded, with their symbols. */
  refreshModules(satp: bigint): void {
    const list = this.address("modules");
    if (this.structures === undefined || list === undefined) return;
    this.#modules = readModules(new KernelMemory(this.#view, satp), this.structures, list, this.#modules);
  }

  #readStructures(satp: bigint): Structures | undefined {
    const [start, end] = [this.address("__start_BTF"), this.address("__stop_BTF")];
    if (start === undefined || end === undefined || end - start > MOST_BTF_BYTES) return undefined;
    const bytes = this.#view.copy(satp, start, Number(end - start));
    const btf = bytes && Btf.parse(bytes);
    return btf && readStructures(btf);
  }
}
