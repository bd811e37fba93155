export * from "./decode.ts";
export * from "./disassemble.ts";
export * from "./float/index.ts";
export * from "./flow.ts";
export * from "./instruction.ts";
export * from "./operations.ts";
export * from "./oracle.ts";
export * from "./table/index.ts";
