export { FunctionBuilder, type Label } from "./function-builder.ts";
export { ModuleBuilder, type ModuleFunction } from "./module-builder.ts";
export { Atomic, Memory, Op, ValueType } from "./opcodes.ts";
