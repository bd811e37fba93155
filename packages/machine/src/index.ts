/** The machine: guest memory, bus, harts and the platform's devices. */
export * from "./bus.ts";
export * from "./memory.ts";
export * from "./platform/index.ts";
