/** The modules of a running kernel and their functions, from the kernel's own list. */
import { type FunctionSymbol, SymbolTable } from "../symbol-table.ts";
import type { KernelMemory } from "./kernel-memory.ts";
import type { Structures } from "./structures.ts";

export interface Module {
  readonly name: string;
  /** Where its code is; that for its initialisation is there only while it runs. */
  readonly code: readonly { readonly start: bigint; readonly bytes: bigint }[];
  readonly symbols: SymbolTable;
}

/** Indices in `module.mem`: `MOD_TEXT` and `MOD_INIT_TEXT`. */
const CODE = [0n, 4n];

const MOST_MODULES = 1024;
const MOST_SYMBOLS = 1 << 18;
const SYMBOL_BYTES = 24;
const NAME_BYTES = 56;
const MOST_FUNCTION_NAME = 512;

/** @param list address of the list's head. @param known modules read before, which are not read again. */
export function readModules(
  memory: KernelMemory,
  layout: Structures,
  list: bigint,
  known: readonly Module[],
): readonly Module[] {
  const modules: Module[] = [];
  let link = memory.pointer(list);
  for (let i = 0; i < MOST_MODULES && link !== 0n && link !== list; i++, link = memory.pointer(link)) {
    const module = link - layout.moduleList;
    const name = memory.text(module + layout.moduleName, NAME_BYTES);
    const code = CODE.map((part) => {
      const at = module + layout.moduleMemory + part * layout.moduleMemoryBytes;
      return { start: memory.pointer(at + layout.memoryBase), bytes: BigInt(memory.word(at + layout.memorySize)) };
    }).filter(({ start }) => start !== 0n);
    if (name === undefined || code.length === 0) continue;
    const same = known.find(
      (each) => each.name === name && each.code[0].start === code[0].start && each.symbols.size > 0,
    );
    modules.push({ name, code, symbols: same?.symbols ?? readSymbols(memory, layout, module) });
  }
  return modules;
}

function readSymbols(memory: KernelMemory, layout: Structures, module: bigint): SymbolTable {
  const symbols: FunctionSymbol[] = [];
  const table = memory.pointer(module + layout.moduleSymbols);
  const entries = memory.pointer(table + layout.symbolTable);
  const names = memory.pointer(table + layout.symbolNames);
  const count = Math.min(memory.word(table + layout.symbolCount), MOST_SYMBOLS);
  const bytes = entries === 0n ? undefined : memory.copy(entries, count * SYMBOL_BYTES);
  if (bytes === undefined) return new SymbolTable([]);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < view.byteLength; at += SYMBOL_BYTES) {
    const address = view.getBigUint64(at + 8, true);
    if (view.getUint16(at + 6, true) === 0 || address === 0n) continue;
    const name = memory.text(names + BigInt(view.getUint32(at, true)), MOST_FUNCTION_NAME);
    if (name === undefined || name === "" || name.startsWith("$") || name.startsWith(".L")) continue;
    symbols.push({ name, address, size: 0 });
  }
  return new SymbolTable(symbols);
}
