/**
 * Keeps the last lines of a serial console and recognises a Linux kernel's panic in them, so that a guest that died
 * can be told from one that is only quiet. Who calls it: the partition's thread, with every byte the guest prints.
 */

/** Longest line kept, in characters; the rest of a longer line is cut. Bounds memory whatever a guest prints. */
const MAX_LINE = 1024;
const PANIC = /^(?:\[[ \d.]+\] )?(?:\[[ TC\d]+\] )?Kernel panic - not syncing/;
const PANIC_END = /^(?:\[[ \d.]+\] )?(?:\[[ TC\d]+\] )?---\[ end Kernel panic - not syncing/;

export class ConsoleTail {
  readonly #limit: number;
  readonly #decoder = new TextDecoder();
  #lines: string[] = [];
  #partial = "";

  /** @param limit how many lines to keep. */
  constructor(limit = 40) {
    this.#limit = limit;
  }

  feed(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes, { stream: true });
    const lines = (this.#partial + text).split("\n");
    this.#partial = (lines.pop() ?? "").slice(0, MAX_LINE);
    for (const line of lines) this.#lines.push(line.replace(/\r$/, "").slice(0, MAX_LINE));
    this.#lines = this.#lines.slice(-this.#limit);
  }

  /** Lines kept, oldest first, the unfinished one included. */
  get lines(): readonly string[] {
    return this.#partial === "" ? this.#lines : [...this.#lines, this.#partial];
  }

  /** True when a panic is among the lines kept. A guest may also just print such a line: it proves nothing alone. */
  get panicked(): boolean {
    return this.lines.some((line) => PANIC.test(line));
  }

  /** True when the very last thing printed is the end of a panic's report: the kernel spins or has halted. */
  get endsInPanic(): boolean {
    const last = this.lines.findLast((line) => line.trim() !== "");
    return last !== undefined && PANIC_END.test(last);
  }

  /** The lines of a panic from its first on, or simply the last ones, at most `count`. */
  report(count: number): readonly string[] {
    const start = this.lines.findIndex((line) => PANIC.test(line));
    return start < 0 ? this.lines.slice(-count) : this.lines.slice(start, start + count);
  }
}
