export * from "./instruction.ts";
export * from "./operations.ts";
