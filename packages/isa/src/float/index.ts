export * from "./flags.ts";
export * from "./format.ts";
export * from "./operations.ts";
