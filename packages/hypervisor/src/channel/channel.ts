/**
 * A channel: a bounded ring of bytes in shared memory from one sender to one receiver, each in a thread of its own.
 * Positions run freely modulo 2^32 and only their owner moves them. Each end rings the other's doorbell after it has
 * moved: new bytes or the end wake the receiver, new room or a cancellation wake the sender.
 */
import { Doorbell } from "./doorbell.ts";

/** Words at the start of the ring's memory; the bytes follow. */
const Header = { read: 0, written: 1, closed: 2, cancelled: 3, words: 4 } as const;
const HEADER_BYTES = Header.words * 4;

/** What both ends are made from; it can be posted to another thread. */
export interface ChannelMemory {
  readonly ring: SharedArrayBuffer;
  /** Doorbells of the sender's and of the receiver's thread. */
  readonly sender: SharedArrayBuffer;
  readonly receiver: SharedArrayBuffer;
}

/** Makes the memory of a channel. @param capacity bytes in flight at most; a power of two up to 2^30. */
export function channelMemory(capacity: number, sender: Doorbell, receiver: Doorbell): ChannelMemory {
  if (capacity < 1 || capacity > 2 ** 30 || (capacity & (capacity - 1)) !== 0) {
    throw new RangeError(`channel capacity: expected a power of two up to 2^30, found ${capacity}`);
  }
  const ring = new SharedArrayBuffer(HEADER_BYTES + capacity);
  return { ring, sender: sender.memory, receiver: receiver.memory };
}

class ChannelEnd {
  protected readonly header: Int32Array;
  protected readonly bytes: Uint8Array;
  protected readonly peer: Doorbell;

  constructor(ring: SharedArrayBuffer, peer: SharedArrayBuffer) {
    this.header = new Int32Array(ring, 0, Header.words);
    this.bytes = new Uint8Array(ring, HEADER_BYTES);
    this.peer = new Doorbell(peer);
  }

  /** Bytes in flight now. */
  get pending(): number {
    return (Atomics.load(this.header, Header.written) - Atomics.load(this.header, Header.read)) >>> 0;
  }

  protected move(word: number, count: number): void {
    Atomics.add(this.header, word, count);
    this.peer.ring();
  }

  protected raise(word: number): void {
    if (Atomics.exchange(this.header, word, 1) === 0) this.peer.ring();
  }
}

export class Sender extends ChannelEnd {
  constructor(memory: ChannelMemory) {
    super(memory.ring, memory.receiver);
  }

  /** Bytes that `write` would take now; 0 once either end has ended the channel. */
  get room(): number {
    return this.closed || this.cancelled ? 0 : this.bytes.length - this.pending;
  }

  get closed(): boolean {
    return Atomics.load(this.header, Header.closed) !== 0;
  }

  /** The receiver wants no more. */
  get cancelled(): boolean {
    return Atomics.load(this.header, Header.cancelled) !== 0;
  }

  /** Puts as many of the bytes into the ring as fit and gives their number. */
  write(data: Uint8Array): number {
    const count = Math.min(data.length, this.room);
    if (count === 0) return 0;
    const at = Atomics.load(this.header, Header.written) & (this.bytes.length - 1);
    const first = Math.min(count, this.bytes.length - at);
    this.bytes.set(data.subarray(0, first), at);
    this.bytes.set(data.subarray(first, count), 0);
    this.move(Header.written, count);
    return count;
  }

  /** No more bytes will come. What is in flight is still delivered. */
  close(): void {
    this.raise(Header.closed);
  }
}

export class Receiver extends ChannelEnd {
  constructor(memory: ChannelMemory) {
    super(memory.ring, memory.sender);
  }

  /** The sender has closed the channel and everything has been read. */
  get ended(): boolean {
    return Atomics.load(this.header, Header.closed) !== 0 && this.pending === 0;
  }

  get cancelled(): boolean {
    return Atomics.load(this.header, Header.cancelled) !== 0;
  }

  /** Takes at most `limit` bytes out of the ring, in order; an empty array when there are none. */
  read(limit = Number.POSITIVE_INFINITY): Uint8Array<ArrayBuffer> {
    const count = Math.min(limit, this.pending, this.bytes.length);
    const data = new Uint8Array(count);
    if (count === 0) return data;
    const at = Atomics.load(this.header, Header.read) & (this.bytes.length - 1);
    const first = Math.min(count, this.bytes.length - at);
    data.set(this.bytes.subarray(at, at + first), 0);
    data.set(this.bytes.subarray(0, count - first), first);
    this.move(Header.read, count);
    return data;
  }

  /** Wants no more: the sender's room becomes 0. */
  cancel(): void {
    this.raise(Header.cancelled);
  }
}
