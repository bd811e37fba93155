/** A set of bytes of a page, in parts of 64 bytes: precise enough to tell code from data beside it, and two words small. */
export class PageParts {
  #low = 0;
  #high = 0;

  /** Adds the parts that bytes from `start` up to `end` lie in; offsets within the page, `start` < `end`. */
  add(start: number, end: number): void {
    for (let part = start >> 6; part <= (end - 1) >> 6; part++) {
      if (part < 32) this.#low |= 1 << part;
      else this.#high |= 1 << (part - 32);
    }
  }

  overlaps(other: PageParts): boolean {
    return (this.#low & other.#low) !== 0 || (this.#high & other.#high) !== 0;
  }
}
