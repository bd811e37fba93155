/**
 * A share that another thread serves, as its device sees it. Requests and answers are copied on the device's thread, so the
 * server never sees the guest's memory, and a request can be forgotten at any time.
 */
import { Errno } from "../errno.ts";
import { type Exchange, fillViews } from "../exchange.ts";
import { Opcode, OUT_HEADER_BYTES } from "../fuse/protocol.ts";
import type { ShareService } from "../service.ts";
import { RemoteShareState, SLOT_BYTES, SLOTS, SlotMemory, SlotWord } from "./memory.ts";

interface Job {
  readonly exchange: Exchange;
  readonly done: (wrong: string | undefined) => void;
}

export class RemoteService implements ShareService {
  readonly readOnly: boolean;
  readonly #memory: SlotMemory;
  readonly #jobs: (Job | undefined)[] = Array.from({ length: SLOTS }, () => undefined);
  readonly #free = Array.from({ length: SLOTS }, (_, slot) => slot);
  #waiting: Job[] = [];
  #collected = 0;

  constructor(memory: SharedArrayBuffer, readOnly: boolean) {
    this.#memory = new SlotMemory(memory);
    this.readOnly = readOnly;
  }

  serve(exchange: Exchange, done: (wrong: string | undefined) => void): void {
    this.#waiting.push({ exchange, done });
    if (this.#memory.state === RemoteShareState.failed) this.#failAll();
    else this.#send();
  }

  poll(): void {
    for (;;) {
      const slot = this.#memory.next("completed", this.#collected);
      if (slot === undefined) break;
      this.#collected = (this.#collected + 1) | 0;
      const job = this.#jobs[slot];
      this.#jobs[slot] = undefined;
      this.#free.push(slot);
      if (job !== undefined) this.#finish(slot, job);
    }
    if (this.#memory.state === RemoteShareState.failed) this.#failAll();
    else this.#send();
  }

  /** What is under way is served all the same; INIT will make the server forget the rest. */
  reset(): void {
    this.#waiting = [];
    this.#jobs.fill(undefined);
  }

  close(): void {
    this.#memory.setState(RemoteShareState.closing);
    this.#memory.ring();
  }

  /** Puts as many requests into slots as there are free ones, in order. */
  #send(): void {
    let sent = false;
    while (this.#free.length > 0 && this.#waiting.length > 0) {
      const slot = this.#free.pop() ?? 0;
      const job = this.#waiting.shift() as Job;
      const length = Math.min(job.exchange.readable, SLOT_BYTES);
      job.exchange.readInto(this.#memory.request(slot, length));
      this.#memory.set(slot, SlotWord.request, length);
      this.#memory.set(slot, SlotWord.room, Math.min(job.exchange.writable, SLOT_BYTES));
      this.#jobs[slot] = job;
      this.#memory.push("submitted", slot);
      sent = true;
    }
    if (sent) this.#memory.ring();
  }

  #finish(slot: number, { exchange, done }: Job): void {
    const wrong = this.#memory.get(slot, SlotWord.wrong);
    if (wrong > 0) {
      done(new TextDecoder().decode(this.#memory.answer(slot, wrong).slice()));
      return;
    }
    const answer = this.#memory.answer(slot, this.#memory.get(slot, SlotWord.answer));
    fillViews(exchange.writeViews(answer.length), answer);
    done(undefined);
  }

  /** Whoever waits for an answer is told that none will come. */
  #failAll(): void {
    const waiting = this.#waiting;
    const sent = this.#jobs.flatMap((job, slot) => (job === undefined ? [] : [{ job, slot }]));
    this.reset();
    for (const { job, slot } of sent) refuse(job, this.#memory.request(slot, 16).slice());
    for (const job of waiting) {
      const header = new Uint8Array(16);
      job.exchange.readInto(header);
      refuse(job, header);
    }
  }
}

/** Answers with an I/O error. @param header the start of the request. */
function refuse({ exchange, done }: Job, header: Uint8Array): void {
  const opcode = new DataView(header.buffer).getUint32(4, true);
  if (opcode !== Opcode.forget && opcode !== Opcode.batchForget && exchange.writable >= OUT_HEADER_BYTES) {
    const answer = new DataView(new ArrayBuffer(OUT_HEADER_BYTES));
    answer.setUint32(0, OUT_HEADER_BYTES, true);
    answer.setInt32(4, -Errno.EIO, true);
    const bytes = new Uint8Array(answer.buffer);
    bytes.set(header.subarray(8, 16), 8);
    fillViews(exchange.writeViews(OUT_HEADER_BYTES), bytes);
  }
  done(undefined);
}
