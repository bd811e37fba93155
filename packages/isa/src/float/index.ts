/** Exact IEEE 754 arithmetic on register contents. Who calls it: the oracle, tests, the machine's slow path. */
export { DYNAMIC_ROUNDING, Flag as FloatFlag, type FloatResult, Rounding } from "./flags.ts";
export { box, type Format, type FormatName, formats, unbox } from "./format.ts";
export {
  evaluateFloat,
  type FloatOperation,
  type FloatOperationEntry,
  floatOperationNames,
  floatOperations,
} from "./operations.ts";
export { type RandomBits, sampleOperands } from "./sample.ts";
