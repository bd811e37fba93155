/** The modules of a running kernel and their functions, from the kernel's own list. */
import { type FunctionSymbol, SymbolTable } from "../symbol-table.ts";
import type { KernelMemory } from "./kernel-memory.ts";
import type { Structures } from "./structures.ts";

/** Code of a module: what stays behind its initialisation. */
export interface Module {
  readonly name: string;
  readonly start: bigint;
  readonly bytes: bigint;
  readonly symbols: SymbolTable;
}

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
    const text = module + layout.moduleMemory;
    const start = memory.pointer(text + layout.memoryBase);
    const bytes = BigInt(memory.word(text + layout.memorySize));
    if (name === undefined || start === 0n) continue;
    const same = known.find((each) => each.name === name && each.start === start && each.symbols.size > 0);
    modules.push(same ?? { name, start, bytes, symbols: readSymbols(memory, layout, module) });
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
