/**
 * A request's header and arguments, read once out of the guest's memory: what is checked cannot change afterwards.
 * @spec fuse.h `fuse_in_header`
 */
import { Errno, refusal } from "../errno.ts";
import type { Exchange } from "../exchange.ts";
import { IN_HEADER_BYTES } from "./protocol.ts";

/** Longest arguments, data of WRITE apart: an extended attribute's name and value, or many nodes to forget. */
export const MAX_ARGUMENT_BYTES = 72 * 1024;

export class FuseRequest {
  readonly #bytes = new Uint8Array(MAX_ARGUMENT_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  #length = 0;
  #at = 0;
  /** Length of the whole request, as the guest says. */
  declared = 0;
  opcode = 0;
  /** Names the request in its answer. */
  uniqueLow = 0;
  uniqueHigh = 0;
  node = 0;
  uid = 0;
  gid = 0;

  /** Takes the header in. @returns false if there is none. */
  readHeader(exchange: Exchange): boolean {
    if (exchange.readable < IN_HEADER_BYTES) return false;
    exchange.readInto(this.#bytes.subarray(0, IN_HEADER_BYTES));
    this.declared = this.#view.getUint32(0, true);
    this.opcode = this.#view.getUint32(4, true);
    this.uniqueLow = this.#view.getUint32(8, true);
    this.uniqueHigh = this.#view.getUint32(12, true);
    this.node = this.#view.getUint32(20, true) * 2 ** 32 + this.#view.getUint32(16, true);
    this.uid = this.#view.getUint32(24, true);
    this.gid = this.#view.getUint32(28, true);
    this.#at = 0;
    this.#length = 0;
    return true;
  }

  /** Takes the next `length` bytes in as arguments. Refuses a request that is shorter, or longer than any can be. */
  readArguments(exchange: Exchange, length: number): void {
    if (length > MAX_ARGUMENT_BYTES) throw refusal(Errno.E2BIG);
    if (length > exchange.readable) throw refusal(Errno.EINVAL);
    exchange.readInto(this.#bytes.subarray(0, length));
    this.#length = length;
    this.#at = 0;
  }

  /** Bytes of arguments that are left. */
  get left(): number {
    return this.#length - this.#at;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** A number; one of 2^53 and more is not exact, and no valid offset, size or node. */
  u64(): number {
    const at = this.#take(8);
    return this.#view.getUint32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true);
  }

  skip(bytes: number): void {
    this.#take(bytes);
  }

  /** A byte string that ends with a zero byte, as a string of one character per byte. */
  name(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0 || end >= this.#length) throw refusal(Errno.EINVAL);
    let name = "";
    for (let i = this.#at; i < end; i++) name += String.fromCharCode(this.#bytes[i]);
    this.#at = end + 1;
    return name;
  }

  /** A copy of the next bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  /** Like `name`, as bytes. */
  target(): Uint8Array<ArrayBuffer> {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0 || end >= this.#length) throw refusal(Errno.EINVAL);
    return this.bytes(end - this.#at);
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (bytes > this.#length - at) throw refusal(Errno.EINVAL);
    this.#at = at + bytes;
    return at;
  }
}
