/** Assembles a WebAssembly module from imports and functions. @spec WebAssembly "Binary Format: Modules" */
import { ByteWriter } from "./byte-writer.ts";
import { type BranchHint, FunctionBuilder } from "./function-builder.ts";
import type { ValueType } from "./opcodes.ts";

const Section = { custom: 0, type: 1, import: 2, function: 3, export: 7, element: 9, code: 10 } as const;

/** A function of a module under construction. */
export class ModuleFunction extends FunctionBuilder {
  readonly #module: ModuleBuilder;
  readonly #position: number;

  constructor(module: ModuleBuilder, position: number, parameters: readonly ValueType[]) {
    super(parameters);
    this.#module = module;
    this.#position = position;
  }

  /** Its index for calls within the module; no function can be imported from then on. */
  get index(): number {
    return this.#module.closeImports() + this.#position;
  }
}

export class ModuleBuilder {
  readonly #types: string[] = [];
  readonly #typeBytes = new ByteWriter();
  readonly #imports = new ByteWriter();
  #importCount = 0;
  #importedFunctions = 0;
  readonly #functions: { readonly type: number; readonly builder: FunctionBuilder }[] = [];
  readonly #exports: { readonly name: string; readonly position: number }[] = [];
  readonly #elements: { readonly index: number; readonly function: ModuleFunction }[] = [];
  #importsClosed = false;

  /** Index of a function type; equal types share one. */
  type(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${parameters}>${results}`;
    const known = this.#types.indexOf(key);
    if (known >= 0) return known;
    this.#typeBytes.byte(0x60);
    for (const list of [parameters, results]) {
      this.#typeBytes.unsigned(list.length);
      for (const type of list) this.#typeBytes.byte(type);
    }
    return this.#types.push(key) - 1;
  }

  /** Imports a function and gives its index. */
  importFunction(
    module: string,
    name: string,
    parameters: readonly ValueType[],
    results: readonly ValueType[],
  ): number {
    if (this.#importsClosed) throw new Error(`import of ${name} comes after the index of a function was taken`);
    const type = this.type(parameters, results);
    this.#import(module, name, 0x00);
    this.#imports.unsigned(type);
    return this.#importedFunctions++;
  }

  /** Imports a shared memory whose size is `pages` of 64 KiB (a lower bound for what is given). */
  importMemory(module: string, name: string, pages: number, shared = true): void {
    this.#import(module, name, 0x02);
    this.#imports.byte(shared ? 0x03 : 0x00);
    this.#imports.unsigned(pages);
    if (shared) this.#imports.unsigned(65536);
  }

  /** Imports a table of functions. */
  importTable(module: string, name: string): void {
    this.#import(module, name, 0x01);
    this.#imports.byte(0x70);
    this.#imports.byte(0x00);
    this.#imports.unsigned(0);
  }

  /** Adds a function; its body may be written at any time before `finish`. */
  function(parameters: readonly ValueType[], results: readonly ValueType[], exportName?: string): ModuleFunction {
    const position = this.#functions.length;
    const builder = new ModuleFunction(this, position, parameters);
    this.#functions.push({ type: this.type(parameters, results), builder });
    if (exportName !== undefined) this.#exports.push({ name: exportName, position });
    return builder;
  }

  /** Puts a function into the imported table, at an index, when the module is instantiated. */
  element(index: number, entry: ModuleFunction): void {
    this.#elements.push({ index, function: entry });
  }

  /** Fixes the number of imported functions and gives it. */
  closeImports(): number {
    this.#importsClosed = true;
    return this.#importedFunctions;
  }

  /** The module's bytes. */
  finish(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter();
    out.append(new Uint8Array([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    section(out, Section.type, this.#types.length, this.#typeBytes.view());
    section(out, Section.import, this.#importCount, this.#imports.view());
    const declarations = new ByteWriter();
    const code = new ByteWriter();
    const hinted: { readonly index: number; readonly hints: readonly BranchHint[] }[] = [];
    for (const [position, { type, builder }] of this.#functions.entries()) {
      declarations.unsigned(type);
      const index = this.#importedFunctions + position;
      const hints = builder.finish(index, code);
      if (hints.length > 0) hinted.push({ index, hints });
    }
    section(out, Section.function, this.#functions.length, declarations.view());
    const exports = new ByteWriter();
    for (const { name, position } of this.#exports) {
      exports.text(name);
      exports.byte(0x00);
      exports.unsigned(this.#importedFunctions + position);
    }
    section(out, Section.export, this.#exports.length, exports.view());
    const elements = new ByteWriter();
    for (const element of this.#elements) {
      // An active segment of table 0: its offset as a constant expression, then one function.
      for (const byte of [0x00, 0x41]) elements.byte(byte);
      elements.signed(element.index);
      for (const byte of [0x0b, 0x01]) elements.byte(byte);
      elements.unsigned(element.function.index);
    }
    section(out, Section.element, this.#elements.length, elements.view());
    branchHints(out, hinted);
    section(out, Section.code, this.#functions.length, code.view());
    const bytes = new Uint8Array(out.view());
    for (const writer of [out, declarations, code, exports, elements, this.#typeBytes, this.#imports]) writer.release();
    return bytes;
  }

  #import(module: string, name: string, kind: number): void {
    this.#imports.text(module);
    this.#imports.text(name);
    this.#imports.byte(kind);
    this.#importCount++;
  }
}

function section(out: ByteWriter, id: number, count: number, content: Uint8Array): void {
  if (count === 0) return;
  const counted = new ByteWriter();
  counted.unsigned(count);
  out.byte(id);
  out.unsigned(counted.length + content.length);
  out.append(counted.view());
  out.append(content);
  counted.release();
}

/** @spec WebAssembly branch hinting "Branch Hints Section" */
function branchHints(
  out: ByteWriter,
  functions: readonly { readonly index: number; readonly hints: readonly BranchHint[] }[],
): void {
  if (functions.length === 0) return;
  const body = new ByteWriter();
  body.text("metadata.code.branch_hint");
  body.unsigned(functions.length);
  for (const { index, hints } of functions) {
    body.unsigned(index);
    body.unsigned(hints.length);
    for (const { offset, likely } of hints) {
      body.unsigned(offset);
      body.byte(1);
      body.byte(likely ? 1 : 0);
    }
  }
  out.byte(Section.custom);
  out.unsigned(body.length);
  out.append(body.view());
  body.release();
}
