/** What the rest of the machine uses of a hart. */
export * from "./callouts.ts";
export * from "./cause.ts";
export * from "./clock.ts";
export type { CsrDeclaration } from "./csr.ts";
export { csrDeclarations } from "./csr-table.ts";
export { Hart, type HartOptions } from "./hart.ts";
export * from "./layout.ts";
export { Privilege } from "./state.ts";
