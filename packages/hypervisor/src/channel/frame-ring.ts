/**
 * A bounded ring of Ethernet frames in shared memory, from one sender to one receiver in another thread. Frames lie in
 * one piece each. What is written or taken becomes visible with `flush`, so that many cost one doorbell.
 */
import { type Abilities, type Frame, frameOf, MAX_FRAME_BYTES, type Offload } from "@bulkhead/network";
import { Doorbell } from "./doorbell.ts";

/** Words at the start: positions modulo 2^32, a sender that waits for room, and what the receiver can do. */
const Header = { read: 0, written: 1, starved: 2, abilities: 3, words: 4 } as const;
const HEADER_BYTES = Header.words * 4;
/** In front of each frame: its length and what is left to be done. */
const RECORD_BYTES = 16;
/** A length that says that the ring goes on at its start. */
const WRAP = 0xffff_ffff;
const Ability = { checksum: 1, tcp4: 2, tcp6: 4 } as const;

/** What both ends are made from; it can be posted to another thread. */
export interface FrameMemory {
  readonly ring: SharedArrayBuffer;
  /** Doorbells of the sender's and of the receiver's thread. */
  readonly sender: SharedArrayBuffer;
  readonly receiver: SharedArrayBuffer;
}

/** Makes the memory of a ring. @param capacity bytes; a power of two from 2^18, two of the largest frames, to 2^30. */
export function frameMemory(capacity: number, sender: Doorbell, receiver: Doorbell): FrameMemory {
  if (capacity < 2 ** 18 || capacity > 2 ** 30 || (capacity & (capacity - 1)) !== 0) {
    throw new RangeError(`frame ring capacity: expected a power of two from 2^18 to 2^30, found ${capacity}`);
  }
  return { ring: new SharedArrayBuffer(HEADER_BYTES + capacity), sender: sender.memory, receiver: receiver.memory };
}

const recordBytes = (length: number): number => (RECORD_BYTES + length + 15) & ~15;

class RingEnd {
  protected readonly header: Int32Array;
  protected readonly bytes: Uint8Array<SharedArrayBuffer>;
  protected readonly view: DataView;
  protected readonly peer: Doorbell;
  /** Our position, which is ahead of what the other end knows until the next flush. */
  protected position: number;
  protected readonly word: number;

  constructor(ring: SharedArrayBuffer, peer: SharedArrayBuffer, word: number) {
    this.header = new Int32Array(ring, 0, Header.words);
    this.bytes = new Uint8Array(ring, HEADER_BYTES);
    this.view = new DataView(ring, HEADER_BYTES);
    this.peer = new Doorbell(peer);
    this.word = word;
    this.position = Atomics.load(this.header, word) >>> 0;
  }

  /** Makes our position known. @returns whether it has changed. */
  protected publish(): boolean {
    return Atomics.exchange(this.header, this.word, this.position | 0) >>> 0 !== this.position;
  }

  protected load(word: number): number {
    return Atomics.load(this.header, word) >>> 0;
  }
}

export class FrameSender extends RingEnd {
  constructor({ ring, receiver }: FrameMemory) {
    super(ring, receiver, Header.written);
  }

  /** There is room for a frame of any size. Where there is none, our doorbell rings when there may be some. */
  get room(): boolean {
    return this.hasRoomFor(MAX_FRAME_BYTES);
  }

  /** The same for a frame of so many bytes, which may be more than an Ethernet frame has. */
  hasRoomFor(length: number): boolean {
    const size = recordBytes(length);
    return this.#fits(size) || this.#starve(size);
  }

  /** What the receiver can do itself. */
  get abilities(): Abilities {
    const bits = this.load(Header.abilities);
    return {
      checksum: (bits & Ability.checksum) !== 0,
      tcp4: (bits & Ability.tcp4) !== 0,
      tcp6: (bits & Ability.tcp6) !== 0,
    };
  }

  /** Copies a frame into the ring. @returns false where there is no room; our doorbell rings when there may be some. */
  write(parts: readonly Uint8Array[], length: number, offload: Offload): boolean {
    const size = recordBytes(length);
    if (!this.#fits(size) && !this.#starve(size)) return false;
    let at = this.position & (this.bytes.length - 1);
    if (at + size > this.bytes.length) {
      this.view.setUint32(at, WRAP, true);
      this.position = (this.position + this.bytes.length - at) >>> 0;
      at = 0;
    }
    this.#describe(at, length, offload);
    let to = at + RECORD_BYTES;
    for (const part of parts) {
      this.bytes.set(part, to);
      to += part.length;
    }
    this.position = (this.position + size) >>> 0;
    return true;
  }

  /** Lets the receiver see what was written. */
  flush(): void {
    if (this.publish()) this.peer.ring();
  }

  /** Lets a receiver see it that looks by itself, and leaves it to the caller to `ring`. @returns whether there was anything. */
  show(): boolean {
    return this.publish();
  }

  ring(): void {
    this.peer.ring();
  }

  #describe(at: number, length: number, offload: Offload): void {
    this.view.setUint32(at, length, true);
    this.view.setUint16(at + 4, offload.checksumStart, true);
    this.view.setUint16(at + 6, offload.checksumOffset, true);
    this.view.setUint16(at + 8, offload.segmentation, true);
    this.view.setUint16(at + 10, offload.segmentBytes, true);
    this.view.setUint16(at + 12, offload.headerBytes, true);
  }

  /** Whether a record fits, with what is left unused at the end of the ring if it has to start over. */
  #fits(size: number): boolean {
    const capacity = this.bytes.length;
    const left = capacity - (this.position & (capacity - 1));
    const used = (this.position - this.load(Header.read)) >>> 0;
    return capacity - used >= (left >= size ? size : left + size);
  }

  /** Asks for a ring of our doorbell, and looks once more: the receiver may just have made room. */
  #starve(size: number): boolean {
    // What was written must be seen, or the receiver would never make room.
    this.flush();
    Atomics.store(this.header, Header.starved, 1);
    return this.#fits(size);
  }
}

export class FrameReceiver extends RingEnd {
  #length = 0;

  constructor({ ring, sender }: FrameMemory) {
    super(ring, sender, Header.read);
  }

  /** The next frame, the same one until `drop`. Its bytes are the ring's: they are gone behind `drop`. */
  next(): Frame | undefined {
    if (this.load(Header.written) === this.position) return undefined;
    let at = this.position & (this.bytes.length - 1);
    if (this.view.getUint32(at, true) === WRAP) {
      this.position = (this.position + this.bytes.length - at) >>> 0;
      at = 0;
    }
    this.#length = this.view.getUint32(at, true);
    const start = at + RECORD_BYTES;
    return frameOf(this.bytes.subarray(start, start + this.#length), {
      checksumStart: this.view.getUint16(at + 4, true),
      checksumOffset: this.view.getUint16(at + 6, true),
      segmentation: this.view.getUint16(at + 8, true),
      segmentBytes: this.view.getUint16(at + 10, true),
      headerBytes: this.view.getUint16(at + 12, true),
    });
  }

  /** Done with the frame that `next` gave. */
  drop(): void {
    this.position = (this.position + recordBytes(this.#length)) >>> 0;
  }

  /** Gives the room of dropped frames back. */
  flush(): void {
    if (!this.publish()) return;
    if (Atomics.exchange(this.header, Header.starved, 0) !== 0) this.peer.ring();
  }

  /** Says what frames may leave undone from now on. */
  accept({ checksum, tcp4, tcp6 }: Abilities): void {
    const bits = (checksum ? Ability.checksum : 0) | (tcp4 ? Ability.tcp4 : 0) | (tcp6 ? Ability.tcp6 : 0);
    Atomics.store(this.header, Header.abilities, bits);
  }
}
