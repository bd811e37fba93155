/** Lays out bytes for tests: little-endian numbers, one behind the other. */

export class Bytes {
  #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  u8(...values: number[]): this {
    this.#bytes.push(...values.map((value) => value & 0xff));
    return this;
  }

  u16(...values: number[]): this {
    for (const value of values) this.u8(value, value >> 8);
    return this;
  }

  u32(...values: number[]): this {
    for (const value of values) this.u16(value, value >>> 16);
    return this;
  }

  u64(...values: bigint[]): this {
    for (const value of values) this.u32(Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn));
    return this;
  }

  text(...texts: string[]): this {
    for (const text of texts) this.u8(...new TextEncoder().encode(text), 0);
    return this;
  }

  bytes(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  align(to: number): this {
    while (this.#bytes.length % to !== 0) this.u8(0);
    return this;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes);
  }
}
