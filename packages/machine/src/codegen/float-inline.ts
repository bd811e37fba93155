/**
 * Floating-point operations as code inline, where that is worth it. Who calls it: `WasmOperations.float` in translated
 * code. What is not done here is a call of the operation's exact function.
 */
import { DYNAMIC_ROUNDING, evaluateFloat, type FloatOperation } from "@bulkhead/isa";
import type { FunctionBuilder } from "../wasm/index.ts";
import { Expression } from "./expression.ts";
import { arithmetic, extremum, multiplyAdd } from "./float-arithmetic.ts";
import { classify, comparison } from "./float-compare.ts";
import { fromInteger, type IntegerName, narrow, toInteger, widen } from "./float-convert.ts";
import { FloatGuard, type NativeFormat } from "./float-guard.ts";
import { FloatPath } from "./float-path.ts";
import type { RuntimeImports } from "./runtime-functions.ts";

const TOWARDS_ZERO = 1;
const MOST_ROUNDING = 4;

export class InlineFloat {
  readonly #b: FunctionBuilder;
  readonly #imports: RuntimeImports;
  readonly #raiseIllegal: () => void;
  readonly #guard: FloatGuard;

  /** `raiseIllegal` writes what makes the current instruction an illegal one. */
  constructor(b: FunctionBuilder, imports: RuntimeImports, raiseIllegal: () => void) {
    this.#b = b;
    this.#imports = imports;
    this.#raiseIllegal = raiseIllegal;
    this.#guard = new FloatGuard(b);
  }

  /** Takes from the hart's state what fast paths rely on: where code is entered, and behind CSR accesses and calls. */
  load(): void {
    this.#guard.load();
  }

  /** Begins a block, or what comes behind a CSR access: floating point has to be enabled. */
  requireEnabled(): void {
    this.#guard.requireEnabled(this.#raiseIllegal);
  }

  /** Writes an operation and gives its result, or `undefined` for one that is not done inline. `mode` is the rm field. */
  emit(operation: FloatOperation, mode: number | undefined, operands: Expression[]): Expression | undefined {
    const [first] = operands;
    if (operation.startsWith("fli.") && first?.kind === "constant") {
      return Expression.constant(evaluateFloat(operation, 0, first.value).value);
    }
    if (mode !== undefined && mode > MOST_ROUNDING && mode !== DYNAMIC_ROUNDING) return undefined;
    const path = new FloatPath(this.#b, this.#guard, this.#imports.float(operation), mode, operands);
    if (mode === DYNAMIC_ROUNDING) this.#guard.requireValidMode(this.#raiseIllegal);
    return fastPath(path, operation);
  }
}

function fastPath(path: FloatPath, name: FloatOperation): Expression | undefined {
  const [operation, to, from] = name.split(".") as [string, NativeFormat, string];
  const nearest = path.mode === 0 || path.mode === DYNAMIC_ROUNDING;
  switch (operation) {
    case "add":
    case "sub":
    case "mul":
    case "div":
    case "sqrt":
      return nearest ? arithmetic(path, to, operation) : undefined;
    case "fma":
      return nearest ? multiplyAdd(path, to) : undefined;
    case "min":
    case "minm":
      return extremum(path, to, "min");
    case "max":
    case "maxm":
      return extremum(path, to, "max");
    case "eq":
    case "lt":
    case "le":
      return comparison(path, to, operation);
    case "ltq":
      return comparison(path, to, "lt");
    case "leq":
      return comparison(path, to, "le");
    case "class":
      return classify(path, to);
    case "modular":
      return toInteger(path, "i32", "f64", TOWARDS_ZERO);
    case "convert":
      return conversion(path, to, from as string, nearest);
    default:
      return undefined;
  }
}

function conversion(path: FloatPath, to: string, from: string, nearest: boolean): Expression | undefined {
  if (isInteger(to)) return toInteger(path, to, from as NativeFormat, path.mode!);
  if (isInteger(from)) return fromInteger(path, to as NativeFormat, from);
  if (to === "f16" || from === "f16") return undefined;
  if (to === "f64") return widen(path);
  return nearest ? narrow(path) : undefined;
}

const isInteger = (name: string): name is IntegerName => /^[iu]/.test(name);
