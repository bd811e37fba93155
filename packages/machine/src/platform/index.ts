/** The platform: interrupt controllers, timer, serial port, clock and power switch of the machine. */
export * from "./clint.ts";
export * from "./goldfish-rtc.ts";
export * from "./memory-map.ts";
export * from "./plic.ts";
export * from "./signals.ts";
export * from "./syscon.ts";
export * from "./uart.ts";
