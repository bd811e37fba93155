/**
 * Messages from one thread of a machine to another: a ring of fixed size in shared memory with one sender and one
 * receiver. Nobody ever waits for room: what does not fit is summed up in a word of bits, at the price of doing too much.
 */

/** What a message asks of the receiving hart. Each is also a bit of the sum: then it asks the same of everything. */
export const Message = {
  /** Bytes of RAM are being written: page, offset in it, length. Translations of them are void from the next fence on. */
  written: 1,
  /** A page holds translated code now: number of the page. Stores to it have to be announced. */
  protect: 2,
  /** `sfence.vma`: virtual address or -1, ASID or -1. */
  fenceAddresses: 4,
  /** `fence.i`. */
  fenceCode: 8,
} as const;

const MESSAGES = 512;
/** Header: position of the sender, position of the receiver, sum. The positions are on lines of their own. */
const Header = { sent: 0, received: 16, sum: 17, words: 32 } as const;
/** Kind and one 64-bit and one 32-bit operand. */
const MESSAGE_WORDS = 4;
export const RING_BYTES = (Header.words + MESSAGES * MESSAGE_WORDS) * 4;

export class MessageRing {
  readonly #words: Int32Array;
  /** The operand of the message that was received last. */
  operand = 0;
  /** Its 64-bit operand, as two halves. */
  low = 0;
  high = 0;

  constructor(memory: SharedArrayBuffer, offset: number) {
    this.#words = new Int32Array(memory, offset, RING_BYTES / 4);
  }

  /** Sends a message. True if the receiver should be woken: it has much to read. */
  send(kind: number, low: number, high: number, operand: number): boolean {
    const words = this.#words;
    const sent = words[Header.sent];
    const pending = (sent - Atomics.load(words, Header.received)) >>> 0;
    if (pending === MESSAGES) {
      Atomics.or(words, Header.sum, kind);
      return true;
    }
    const at = Header.words + (sent & (MESSAGES - 1)) * MESSAGE_WORDS;
    words[at] = kind;
    words[at + 1] = low;
    words[at + 2] = high;
    words[at + 3] = operand;
    Atomics.store(words, Header.sent, (sent + 1) | 0);
    return pending > MESSAGES / 2;
  }

  /** Kind of the next message, whose operands are left in the fields; 0 if there is none. */
  receive(): number {
    const words = this.#words;
    const received = words[Header.received];
    if (Atomics.load(words, Header.sent) === received) return 0;
    const at = Header.words + (received & (MESSAGES - 1)) * MESSAGE_WORDS;
    const kind = words[at];
    this.low = words[at + 1];
    this.high = words[at + 2];
    this.operand = words[at + 3];
    Atomics.store(words, Header.received, (received + 1) | 0);
    return kind;
  }

  /** The kinds of the messages that did not fit since the last call. */
  takeSum(): number {
    return Atomics.load(this.#words, Header.sum) === 0 ? 0 : Atomics.exchange(this.#words, Header.sum, 0);
  }
}
