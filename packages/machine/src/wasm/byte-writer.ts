/** A growable buffer of bytes with WebAssembly's variable-length integers (LEB128). */
/** The longest form of 32 bits. */
const PADDED_BYTES = 5;

/** Buffers that are free, of the size that most functions need: making one costs more than filling it. */
const free: Uint8Array[] = [];
const USUAL_BYTES = 8192;
const MOST_FREE = 32;
const EMPTY = new Uint8Array(0);

export class ByteWriter {
  #bytes = free.pop() ?? new Uint8Array(USUAL_BYTES);
  length = 0;

  byte(value: number): void {
    if (this.length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.length++] = value;
  }

  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Unsigned 32-bit integer. */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** Unsigned 32-bit integer in `PADDED_BYTES` bytes, to be replaced by another by `patchPadded`. */
  unsignedPadded(value: number): void {
    const offset = this.length;
    for (let i = 0; i < PADDED_BYTES; i++) this.byte(0);
    this.patchPadded(offset, value);
  }

  patchPadded(offset: number, value: number): void {
    for (let i = 0; i < PADDED_BYTES; i++) {
      this.#bytes[offset + i] = ((value >>> (7 * i)) & 0x7f) | (i < PADDED_BYTES - 1 ? 0x80 : 0);
    }
  }

  /** Signed 32-bit integer. */
  signed(value: number): void {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  /** Signed integer that a number holds exactly. */
  signedSafe(value: number): void {
    let rest = value;
    while (rest < -64 || rest > 63) {
      const next = Math.floor(rest / 128);
      this.byte((rest - next * 128) | 0x80);
      rest = next;
    }
    this.byte(rest & 0x7f);
  }

  /** Signed 64-bit integer. */
  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    if (rest >= -0x8000_0000n && rest < 0x8000_0000n) {
      this.signed(Number(rest));
      return;
    }
    while (rest < -64n || rest > 63n) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.byte(Number(rest & 0x7fn));
  }

  /** A name of ASCII characters. */
  text(value: string): void {
    this.unsigned(value.length);
    for (let i = 0; i < value.length; i++) this.byte(value.charCodeAt(i));
  }

  /** The bytes written so far; a view that the next write may invalidate. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  /** Gives the buffer to another writer: nothing may be written any more, and views become invalid. */
  release(): void {
    if (this.#bytes.length === USUAL_BYTES && free.length < MOST_FREE) free.push(this.#bytes);
    this.#bytes = EMPTY;
    this.length = 0;
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + needed));
    grown.set(this.view());
    this.#bytes = grown;
  }
}
