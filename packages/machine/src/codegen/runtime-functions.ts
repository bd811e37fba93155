/** What generated code calls: declared once, provided by the runtime module and the hart's call-outs, imported by name. */
import { atomicOperations, type FloatOperation, floatOperations } from "@bulkhead/isa";
import { type ModuleBuilder, ValueType } from "../wasm/index.ts";

const { i32, i64 } = ValueType;

interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

const signature = (parameters: readonly ValueType[], ...results: ValueType[]): Signature => ({ parameters, results });

/** Call-outs into the hart, each with the offset of the hart's state first. See `HartCallouts`. */
export const calloutSignatures = {
  load: signature([i32, i64, i32], i64),
  store: signature([i32, i64, i32, i64]),
  atomicAddress: signature([i32, i64, i32, i32], i32),
  fetch: signature([i32, i64], i32),
  csr: signature([i32, i32, i32, i32, i64], i64),
  system: signature([i32, i32, i64, i64]),
} as const;

/** Call-outs that the runtime module puts something faster before: generated code calls that instead. */
const hastened: ReadonlySet<keyof typeof calloutSignatures> = new Set(["load", "store", "fetch", "csr", "system"]);

/** Further functions of the runtime module: whole accesses, traps, arithmetic that WebAssembly lacks, and atomics behind the TLB. */
export const runtimeSignatures = {
  ...Object.fromEntries(
    [1, 2, 4, 8].flatMap((bytes) => [
      [`load${bytes}`, signature([i32, i64], i64)],
      [`store${bytes}`, signature([i32, i64, i64])],
    ]),
  ),
  takeException: signature([i32], i32),
  carrylessMul: signature([i64, i64], i64),
  carrylessMulHigh: signature([i64, i64], i64),
  loadReserved4: signature([i32, i64], i64),
  loadReserved8: signature([i32, i64], i64),
  storeConditional4: signature([i32, i64, i64], i64),
  storeConditional8: signature([i32, i64, i64], i64),
  compareExchange4: signature([i32, i64, i64, i64], i64),
  compareExchange8: signature([i32, i64, i64, i64], i64),
  compareExchangePair: signature([i32, i64, i32, i32]),
  ...Object.fromEntries(
    atomicOperations.flatMap((operation) => [
      [`${operation}4`, signature([i32, i64, i64], i64)],
      [`${operation}8`, signature([i32, i64, i64], i64)],
    ]),
  ),
} as Readonly<Record<string, Signature>>;

const floatSignature = (operation: FloatOperation): Signature =>
  signature([i32, i32, ...Array(floatOperations[operation].arity).fill(i64)], i64);

/** Whether a guest has one hart, so that nothing it does to RAM has to be atomic or in order for another thread. */
export type Harts = "one" | "several";

export const hartsOf = ({ harts }: { readonly harts: number }): Harts => (harts === 1 ? "one" : "several");

/** Imports functions as code first calls them, so that a module imports what it uses and no more. */
export class RuntimeImports {
  readonly harts: Harts;
  readonly #module: ModuleBuilder;
  readonly #indices = new Map<string, number>();

  constructor(module: ModuleBuilder, harts: Harts = "several") {
    this.#module = module;
    this.harts = harts;
  }

  callout(name: keyof typeof calloutSignatures): number {
    return this.#import(hastened.has(name) ? "runtime" : "hart", name, calloutSignatures[name]);
  }

  runtime(name: string): number {
    const found = runtimeSignatures[name];
    if (found === undefined) throw new Error(`no runtime function is called ${name}`);
    return this.#import("runtime", name, found);
  }

  float(operation: FloatOperation): number {
    return this.#import("float", operation, floatSignature(operation));
  }

  #import(module: string, name: string, { parameters, results }: Signature): number {
    const key = `${module}.${name}`;
    let index = this.#indices.get(key);
    if (index === undefined) {
      index = this.#module.importFunction(module, name, parameters, results);
      this.#indices.set(key, index);
    }
    return index;
  }
}
