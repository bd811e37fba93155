/** Compiles regions where they are asked for, at once: without a thread to spare, and for runs that must repeat exactly. */
import type { RegionCompiler } from "./region-compiler.ts";
import type { CompiledRegions, RegionOrder, RegionService } from "./region-order.ts";

export class LocalService implements RegionService {
  readonly #compiler: RegionCompiler;
  readonly #answers: CompiledRegions[] = [];

  constructor(compiler: RegionCompiler) {
    this.#compiler = compiler;
  }

  get waiting(): number {
    return this.#answers.length;
  }

  post(orders: readonly RegionOrder[]): void {
    this.#answers.push(this.#compiler.compile(orders));
  }

  take(): CompiledRegions | undefined {
    return this.#answers.shift();
  }

  trim(): void {}
}
