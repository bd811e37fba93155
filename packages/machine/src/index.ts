/** The machine: guest memory, harts, the platform's devices, SBI, boot, and the loop that runs them. */
export { BootError, type BootErrorCode } from "./boot/boot-error.ts";
export type { BootDescription, DirectBoot, FirmwareBoot } from "./boot/load.ts";
export { unpackKernel } from "./boot/unpack.ts";
export * from "./bus.ts";
export * from "./hart/clock.ts";
export { Machine, type MachineOptions, type MachineStop } from "./machine.ts";
export * from "./memory.ts";
export * from "./platform/index.ts";
export type { Processor, ProcessorFactory } from "./processor.ts";
export { Activity, ActivityWord } from "./profile/activity.ts";
export { type GuestImage, GuestView, type HartSnapshot } from "./profile/guest-view.ts";
export { profiledDevice } from "./profile/profiled-device.ts";
export { profiled } from "./profile/profiled-processor.ts";
export { Board } from "./threads/board.ts";
export { HartThread, type HartThreadStart } from "./threads/hart-thread.ts";
export type { ThreadOptions } from "./threads/machine-threads.ts";
export { type JitThreshold, TranslatingProcessor } from "./translating-processor.ts";
