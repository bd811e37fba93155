/**
 * Which pages of RAM code may have been translated from, and by which threads: a byte of bits for each page, in the
 * memory that all threads share. Generated code gives no write tag to a page whose byte is not 0, so that
 * stores to it are announced. Who calls it: harts before they enter a page for writing, and whoever announces writes.
 */

/** Threads that can be told apart: a bit each. */
export const MOST_THREADS = 8;

export class CodeMap {
  readonly #bytes: Uint8Array;
  readonly #firstPage: number;
  readonly #bit: number;

  /**
   * @param bytes the map, `CODE_MAP` in the wasm memory. @param firstPage the physical page (address / 4096) that RAM begins
   * with. @param thread whose translations `add`, `remove` and `note` are about.
   */
  constructor(bytes: Uint8Array, firstPage: number, thread: number) {
    this.#bytes = bytes;
    this.#firstPage = firstPage;
    this.#bit = 1 << thread;
  }

  /** Bits of the threads that may have translated from a physical page; 0 for what is not RAM. */
  threads(page: number): number {
    const index = page - this.#firstPage;
    return index >= 0 && index < this.#bytes.length ? Atomics.load(this.#bytes, index) : 0;
  }

  /** This thread is about to read code of a page. True if it was not known to before. */
  add(page: number): boolean {
    return (Atomics.or(this.#bytes, page - this.#firstPage, this.#bit) & this.#bit) === 0;
  }

  /** This thread has nothing of a page any more. */
  remove(page: number): void {
    Atomics.and(this.#bytes, page - this.#firstPage, ~this.#bit);
  }

  /** This thread has nothing of any page any more. */
  removeAll(): void {
    for (let index = 0; index < this.#bytes.length; index++) {
      if ((this.#bytes[index] & this.#bit) !== 0) Atomics.and(this.#bytes, index, ~this.#bit);
    }
  }

  /** Brings this thread's bit down if it has nothing of the page (`holds`), and says whether any thread has. */
  note(page: number, holds: boolean): boolean {
    if (holds) return true;
    const threads = this.threads(page);
    if ((threads & this.#bit) !== 0) this.remove(page);
    return (threads & ~this.#bit) !== 0;
  }
}
