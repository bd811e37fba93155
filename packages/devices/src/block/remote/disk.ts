/**
 * A disk that another thread serves, as its user sees it. Data is copied in and out of the shared memory on the user's
 * thread, so the server never sees the guest's memory and a request can be forgotten at any time.
 */
import { DiskError } from "../disk-error.ts";
import type { QueuedDisk } from "../queued-disk.ts";
import type { DiskRequest, DiskShape } from "../request.ts";
import { kinds, Record, type RemoteKind, RemoteState, RemoteView, SLOT_BYTES, SLOTS, UNMAP } from "./memory.ts";

/** A request with the parts of it that are under way. */
interface Job {
  readonly kind: RemoteKind;
  readonly offset: number;
  /** Bytes of data, or of the range of a request without data. */
  readonly length: number;
  readonly unmap: boolean;
  readonly pieces: readonly Uint8Array[];
  readonly done: (error: unknown) => void;
  sent: number;
  open: number;
  error: unknown;
}

interface Part {
  readonly job: Job;
  readonly at: number;
  readonly length: number;
}

export class RemoteDisk implements QueuedDisk {
  readonly readOnly: boolean;
  readonly canDiscard: boolean;
  readonly #view: RemoteView;
  readonly #parts: (Part | undefined)[] = Array.from({ length: SLOTS }, () => undefined);
  readonly #free = Array.from({ length: SLOTS }, (_, slot) => slot);
  #waiting: Job[] = [];
  #collected = 0;
  #size: number;

  /** @param shape what the server said about the disk when it had opened it. */
  constructor(memory: SharedArrayBuffer, shape: DiskShape) {
    this.#view = new RemoteView(memory);
    this.readOnly = shape.readOnly;
    this.canDiscard = shape.canDiscard;
    this.#size = shape.size;
  }

  get size(): number {
    return this.#size;
  }

  submit(request: DiskRequest, done: (error: unknown) => void): void {
    this.#start(jobOf(request, done));
  }

  resize(bytes: number, done: (error: unknown) => void): void {
    const grown = (error: unknown): void => {
      if (error === undefined) this.#size = bytes;
      done(error);
    };
    this.#start({ ...jobOf({ kind: "flush" }, grown), kind: "resize", offset: bytes });
  }

  poll(): void {
    for (;;) {
      const slot = this.#view.next("completed", this.#collected);
      if (slot === undefined) break;
      this.#collected = (this.#collected + 1) | 0;
      const part = this.#parts[slot];
      this.#parts[slot] = undefined;
      if (part !== undefined) this.#collect(slot, part);
      this.#free.push(slot);
    }
    if (this.#view.state === RemoteState.failed) this.#failAll();
    else if (this.#waiting.length > 0) this.#send();
  }

  forget(): void {
    this.#waiting = [];
    this.#parts.fill(undefined);
  }

  close(): void {
    this.#view.setState(RemoteState.closing);
    this.#view.ring();
  }

  #start(job: Job): void {
    this.#waiting.push(job);
    this.#send();
  }

  /** Puts as much into slots as there are free ones, in order. */
  #send(): void {
    let sent = false;
    while (this.#free.length > 0 && this.#waiting.length > 0) {
      const slot = this.#free.pop() ?? 0;
      const job = this.#waiting[0];
      this.#fill(slot, job);
      if (job.sent >= job.length) this.#waiting.shift();
      sent = true;
    }
    if (sent) this.#view.ring();
  }

  #fill(slot: number, job: Job): void {
    const moves = job.kind === "read" || job.kind === "write";
    const length = moves ? Math.min(SLOT_BYTES, job.length - job.sent) : job.length;
    const at = this.#view.record(slot);
    const { words } = this.#view;
    words[at + Record.kind] = kinds.indexOf(job.kind);
    this.#view.put64(at + Record.offset, job.offset + job.sent);
    this.#view.put64(at + Record.length, length);
    words[at + Record.flags] = job.unmap ? UNMAP : 0;
    if (job.kind === "write") eachPiece(job.pieces, job.sent, this.#view.data(slot, length), (a, b) => b.set(a));
    this.#parts[slot] = { job, at: job.sent, length };
    job.sent += moves ? length : Math.max(1, length);
    job.open++;
    this.#view.push("submitted", slot);
  }

  #collect(slot: number, { job, at, length }: Part): void {
    const status = this.#view.words[this.#view.record(slot) + Record.status];
    if (status !== 0) job.error ??= errorOf(this.#view.data(slot, Math.min(status, SLOT_BYTES)));
    else if (job.kind === "read") eachPiece(job.pieces, at, this.#view.data(slot, length), (a, b) => a.set(b));
    job.open--;
    if (job.open === 0 && job.sent >= job.length) job.done(job.error);
  }

  #failAll(): void {
    const jobs = new Set([...this.#waiting, ...this.#parts.flatMap((part) => (part === undefined ? [] : [part.job]))]);
    this.forget();
    for (const job of jobs) job.done(new DiskError("disk-failed", "the thread that serves the disk has gone"));
  }
}

function jobOf(request: DiskRequest, done: (error: unknown) => void): Job {
  const pieces = request.kind === "read" || request.kind === "write" ? request.pieces : [];
  const ranged = request.kind === "discard" || request.kind === "writeZeroes";
  return {
    kind: request.kind,
    offset: request.kind === "flush" ? 0 : request.offset,
    length: ranged ? request.length : pieces.reduce((sum, piece) => sum + piece.length, 0),
    unmap: request.kind === "writeZeroes" && request.unmap,
    pieces,
    done,
    sent: 0,
    open: 0,
    error: undefined,
  };
}

/** Pairs the parts of pieces from byte `at` on with those of a slot's data. */
function eachPiece(
  pieces: readonly Uint8Array[],
  at: number,
  data: Uint8Array,
  move: (piece: Uint8Array, data: Uint8Array) => void,
): void {
  let start = 0;
  for (const piece of pieces) {
    const from = Math.max(at, start);
    const to = Math.min(at + data.length, start + piece.length);
    if (from < to) move(piece.subarray(from - start, to - start), data.subarray(from - at, to - at));
    start += piece.length;
  }
}

/** What went wrong, in the server's words. */
const errorOf = (text: Uint8Array): DiskError =>
  new DiskError("disk-failed", new TextDecoder().decode(new Uint8Array(text)));
