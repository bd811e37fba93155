/** Makes a thread ready for a machine: what all machines have in common is compiled. Who calls it: spare threads. */
import { Machine, type ProcessorFactory, TranslatingProcessor } from "@bulkhead/machine";

/** The least memory that a machine can be made with, in bytes. */
const RAM_SIZE = 65_536;

export function warmUp(): void {
  const boot = { start: "supervisor", load: () => ({ kernel: new Uint8Array(0) }) } as const;
  const processor: ProcessorFactory = (memory, harts) => new TranslatingProcessor(memory, harts);
  const onOutput = (): void => {};
  for (const pages of [true, undefined] as const) {
    new Machine({ ramSize: RAM_SIZE, harts: 1, boot, pages, processor, onOutput });
  }
}
