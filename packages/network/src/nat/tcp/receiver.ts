/**
 * The receiving half of a connection: puts segments in order and says how much more may come. The window's right edge
 * never moves back. @spec RFC 9293 "Segment Arrives"; "Managing the Window"
 */
import { advance, ahead } from "./sequence.ts";

/** Pieces that wait for what is missing before them. More are dropped, and sent again. */
const MOST_PIECES = 256;

interface Piece {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly fin: boolean;
}

export class Receiver {
  readonly #capacity: () => number;
  readonly #scale: number;
  readonly #deliver: (bytes: Uint8Array) => void;
  #next: number;
  /** Right edge of the window that the peer knows of. */
  #edge: number;
  #pieces: Piece[] = [];
  #heldBytes = 0;
  #finished = false;

  /** @param first what comes next. @param scale how far the window field is shifted. @param deliver is lent bytes. */
  constructor(first: number, capacity: () => number, scale: number, deliver: (bytes: Uint8Array) => void) {
    this.#next = first;
    this.#edge = first;
    this.#capacity = capacity;
    this.#scale = scale;
    this.#deliver = deliver;
  }

  get next(): number {
    return this.#next;
  }

  /** The peer's end has come, in order. */
  get finished(): boolean {
    return this.#finished;
  }

  /** Bytes that the peer may still send as far as it knows. */
  get window(): number {
    return Math.max(0, ahead(this.#edge, this.#next));
  }

  /** What to write into the window field. @param pendingBytes what was delivered and has not left yet. */
  advertise(pendingBytes: number): number {
    const free = Math.max(0, this.#capacity() - pendingBytes - this.#heldBytes);
    const field = Math.min(0xffff, free >> this.#scale);
    const edge = advance(this.#next, field << this.#scale);
    if (ahead(edge, this.#edge) > 0) this.#edge = edge;
    return Math.min(0xffff, this.window >> this.#scale);
  }

  /** Whether enough has become free since to be worth a segment of its own. */
  worthTelling(pendingBytes: number): boolean {
    const free = this.#capacity() - pendingBytes - this.#heldBytes;
    return free - this.window >= this.#capacity() / 4;
  }

  /** Takes the payload of a segment, and whether the end follows it. */
  accept(sequence: number, payload: Uint8Array, fin: boolean): void {
    if (this.#finished) return;
    const offset = ahead(sequence, this.#next);
    const room = ahead(this.#edge, sequence);
    const fits = payload.length <= room;
    const end = fits ? payload.length : Math.max(0, room);
    const start = Math.max(0, -offset);
    if (start > end || (!fits && start === end)) return;
    const bytes = payload.subarray(start, end);
    const piece = { sequence: advance(sequence, start), bytes, fin: fin && fits };
    if (offset > 0) this.#hold({ ...piece, bytes: bytes.slice() });
    else {
      this.#take(piece);
      this.#takeHeld();
    }
  }

  #take({ bytes, fin }: Piece): void {
    if (bytes.length > 0) {
      this.#next = advance(this.#next, bytes.length);
      this.#deliver(bytes);
    }
    if (!fin) return;
    this.#next = advance(this.#next, 1);
    this.#finished = true;
    this.#pieces = [];
    this.#heldBytes = 0;
  }

  #hold(piece: Piece): void {
    if (this.#pieces.length >= MOST_PIECES || this.#heldBytes + piece.bytes.length > this.#capacity()) return;
    let at = this.#pieces.length;
    while (at > 0 && ahead(this.#pieces[at - 1].sequence, piece.sequence) > 0) at--;
    const before = this.#pieces[at - 1];
    if (before?.sequence === piece.sequence && before.bytes.length >= piece.bytes.length) return;
    this.#pieces.splice(at, 0, piece);
    this.#heldBytes += piece.bytes.length;
  }

  #takeHeld(): void {
    while (this.#pieces.length > 0 && !this.#finished) {
      const piece = this.#pieces[0];
      const behind = ahead(this.#next, piece.sequence);
      if (behind < 0) return;
      this.#pieces.shift();
      this.#heldBytes -= piece.bytes.length;
      if (behind > piece.bytes.length) continue;
      this.#take({ ...piece, bytes: piece.bytes.subarray(behind) });
    }
  }
}
