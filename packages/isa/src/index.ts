export * from "./decode.ts";
export * from "./disassemble.ts";
export * from "./instruction.ts";
export * from "./operations.ts";
export * from "./oracle.ts";
export * from "./table/index.ts";
