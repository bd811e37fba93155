/**
 * What the harts of a machine tell one another when each runs on a thread of its own: fences, and writes of code. Each
 * reads its messages where no generated code is on its stack: before it runs guest code, and at fences.
 */
import type { GuestMemory } from "../memory.ts";
import { PAGE_SIZE, RAM_BASE } from "../memory.ts";
import type { Processor } from "../processor.ts";
import type { Board } from "./board.ts";
import { CodeWatch } from "./code-watch.ts";
import { Message, MessageRing, RING_BYTES } from "./message-ring.ts";

/** What a mailbox needs of its hart. */
export interface MailboxHart {
  fenceAddresses(address: bigint | undefined, asid: bigint | undefined): void;
  dropWriteTags(page: number): void;
}

/** Memory of the rings between all pairs of `threads` threads. */
export const mailboxMemory = (threads: number): SharedArrayBuffer =>
  new SharedArrayBuffer(threads * threads * RING_BYTES);

export class Mailbox {
  readonly #memory: GuestMemory;
  readonly #board: Board;
  readonly #thread: number;
  readonly #hart: MailboxHart;
  readonly #processor: Processor;
  readonly #watch: CodeWatch;
  readonly #inbox: readonly MessageRing[];
  readonly #outbox: readonly MessageRing[];
  /** A fence for instructions is to be done. */
  #codeFence = false;
  /** Fences that other harts have asked for, and waited for. */
  #fences = 0;
  #low = new BigInt64Array(1);
  #halves = new Int32Array(this.#low.buffer);

  constructor(
    memory: GuestMemory,
    board: Board,
    rings: SharedArrayBuffer,
    thread: number,
    hart: MailboxHart,
    processor: Processor,
  ) {
    this.#memory = memory;
    this.#board = board;
    this.#thread = thread;
    this.#hart = hart;
    this.#processor = processor;
    this.#watch = new CodeWatch(memory, board, thread, (page) => this.#dropPage(page));
    const ring = (from: number, to: number): MessageRing =>
      new MessageRing(rings, (from * board.threads + to) * RING_BYTES);
    this.#inbox = Array.from({ length: board.threads }, (_, from) => ring(from, thread));
    this.#outbox = Array.from({ length: board.threads }, (_, to) => ring(thread, to));
  }

  // ---- what this thread tells others

  /** This thread is about to read code of a page for the first time: from now on others announce their stores to it. */
  translating(page: number): void {
    for (let to = 0; to < this.#board.threads; to++) this.#send(to, Message.protect, page, 0, 0);
    this.#watch.add(page, 0, 0);
  }

  /** This thread is about to write RAM: tells those that have translated from it, itself included. */
  writing(address: number, length: number): void {
    const end = address + length;
    for (let page = Math.floor(address / PAGE_SIZE); page * PAGE_SIZE < end; page++) {
      const threads = this.#memory.codeMap.threads(page);
      if (threads === 0) continue;
      const start = Math.max(address - page * PAGE_SIZE, 0);
      const bytes = Math.min(end - page * PAGE_SIZE, PAGE_SIZE) - start;
      if ((threads & (1 << this.#thread)) !== 0) this.#processor.written(page * PAGE_SIZE + start, bytes);
      for (let to = 0; to < this.#board.threads; to++) {
        if ((threads & (1 << to)) !== 0) this.#send(to, Message.written, page, start, bytes);
      }
    }
  }

  /** Asks another hart for `sfence.vma`; `awaitFences` tells when it is done. */
  fenceAddresses(to: number, address: bigint | undefined, asid: bigint | undefined): void {
    this.#low[0] = address ?? -1n;
    this.#send(to, Message.fenceAddresses, this.#halves[0], this.#halves[1], asid === undefined ? -1 : Number(asid));
  }

  /** Asks another hart for `fence.i`. */
  fenceCode(to: number): void {
    this.#send(to, Message.fenceCode, 0, 0, 0);
  }

  /**
   * Waits until other harts have done what they were asked, or will before they run again. Only outside guest code, so that
   * two that wait for each other do not hinder each other.
   */
  awaitFences(threads: readonly number[], meanwhile: () => void): void {
    for (const thread of threads) {
      if (thread === this.#thread) continue;
      this.#board.awaitLeave(thread, this.#board.epoch(thread), meanwhile);
    }
  }

  // ---- what others tell this thread

  /** How many fences other harts have asked for. */
  get fences(): number {
    return this.#fences;
  }

  /** This hart executed `fence.i`: `receive` has to be called before its next instruction. */
  codeFence(): void {
    this.#codeFence = true;
  }

  /** Does what others have asked for. Not while generated code of this hart is on the stack. */
  receive(): void {
    for (const ring of this.#inbox) this.#receiveFrom(ring);
    if (this.#codeFence) {
      this.#codeFence = false;
      // What was written before the fence was asked for may have come in behind the look into its sender's ring.
      for (const ring of this.#inbox) this.#receiveFrom(ring);
      this.#watch.check();
    } else if (this.#watch.size !== 0) this.#watch.settle();
  }

  #receiveFrom(ring: MessageRing): void {
    for (let kind = ring.receive(); kind !== 0; kind = ring.receive()) {
      if (kind === Message.written) this.#written(ring.low, ring.high, ring.operand);
      else if (kind === Message.protect) this.#hart.dropWriteTags(ring.low);
      else this.#fence(kind, ring);
    }
    const sum = ring.takeSum();
    if (sum !== 0) this.#doAll(sum);
  }

  #fence(kind: number, ring: MessageRing): void {
    this.#fences++;
    if (kind === Message.fenceCode) {
      this.#codeFence = true;
      return;
    }
    this.#halves[0] = ring.low;
    this.#halves[1] = ring.high;
    const address = this.#low[0];
    this.#hart.fenceAddresses(
      address === -1n ? undefined : address,
      ring.operand === -1 ? undefined : BigInt(ring.operand),
    );
  }

  #doAll(sum: number): void {
    if ((sum & Message.written) !== 0) {
      this.#processor.written(RAM_BASE, this.#memory.ramSize);
      // Stores whose announcements were lost may still be on their way: every page is new to this thread again.
      this.#memory.codeMap.removeAll();
    }
    if ((sum & (Message.protect | Message.fenceAddresses)) !== 0) this.#hart.fenceAddresses(undefined, undefined);
    if ((sum & Message.fenceCode) !== 0) this.#codeFence = true;
  }

  #written(page: number, start: number, bytes: number): void {
    this.#processor.written(page * PAGE_SIZE + start, bytes);
    const holds = this.#processor.isCodePage(page);
    this.#memory.codeMap.note(page, holds);
    if (holds) this.#watch.add(page, start, bytes);
  }

  #dropPage(page: number): void {
    this.#processor.written(page * PAGE_SIZE, PAGE_SIZE);
  }

  #send(to: number, kind: number, low: number, high: number, operand: number): void {
    if (to !== this.#thread && this.#outbox[to].send(kind, low, high, operand)) this.#board.wake(to);
  }
}
