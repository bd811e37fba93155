/**
 * Generation id: 128 random bits that change when a machine goes on as another one, after a restore. Linux stirs them into its
 * random numbers before anything else runs. @spec devicetree binding "microsoft,vmgenid"; Linux `drivers/virt/vmgenid.c`.
 */
import type { InterruptLine, MmioDevice } from "../bus.ts";

export const GENERATION_BYTES = 16;

export interface GenerationState {
  readonly id: Uint8Array;
}

export class Generation implements MmioDevice {
  readonly #line: InterruptLine;
  readonly #id = new Uint8Array(GENERATION_BYTES);

  constructor(line: InterruptLine) {
    this.#line = line;
    this.reset();
  }

  /** A machine that boots is another one. */
  reset(): void {
    crypto.getRandomValues(this.#id);
  }

  /** The machine is another one from now on: it has a fresh id and is told. */
  renew(): void {
    this.reset();
    // The interrupt is an edge; the controller keeps it until it is claimed.
    this.#line.set(true);
    this.#line.set(false);
  }

  read(offset: number, bytes: number): number {
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = value * 256 + (this.#id[offset + i] ?? 0);
    return value;
  }

  write(): void {}

  save(): GenerationState {
    return { id: this.#id.slice() };
  }

  restore({ id }: GenerationState): void {
    this.#id.set(id);
  }
}
