/**
 * Puts the fragments of packets together again. Bounded in packets, bytes and time, and fragments that overlap end the
 * packet. @spec RFC 791 "Fragmentation and Reassembly"; RFC 5722
 */
import type { Packet } from "../wire/ip.ts";

const MOST_PACKETS = 32;
const MOST_BYTES = 65535;
const LIFETIME_MS = 30_000;

interface Partial {
  readonly sinceMs: number;
  readonly pieces: { readonly offset: number; readonly bytes: Uint8Array }[];
  bytes: number;
  /** Length of the whole payload, once its last fragment has come. */
  length: number | undefined;
}

export class Reassembly {
  readonly #partials = new Map<string, Partial>();

  /** The whole packet that a fragment completes. */
  add(packet: Packet, nowMs: number): Packet | undefined {
    const { fragment, payload } = packet;
    if (fragment === undefined) return packet;
    const { id, offset, more } = fragment;
    const key = `${packet.source.toHex()}${packet.destination.toHex()}/${packet.protocol}/${id}`;
    const partial = this.#partial(key, nowMs);
    const end = offset + payload.length;
    const bad =
      end > MOST_BYTES ||
      (more && (payload.length === 0 || payload.length % 8 !== 0)) ||
      (partial.length !== undefined && (!more || end > partial.length)) ||
      partial.pieces.some((piece) => piece.offset < end && offset < piece.offset + piece.bytes.length);
    if (bad) {
      this.#partials.delete(key);
      return undefined;
    }
    partial.pieces.push({ offset, bytes: payload.slice() });
    partial.bytes += payload.length;
    if (!more) partial.length = end;
    if (partial.bytes !== partial.length) return undefined;
    this.#partials.delete(key);
    const whole = new Uint8Array(partial.bytes);
    for (const piece of partial.pieces) whole.set(piece.bytes, piece.offset);
    const { fragment: _, ...rest } = packet;
    return { ...rest, payload: whole };
  }

  #partial(key: string, nowMs: number): Partial {
    const found = this.#partials.get(key);
    if (found !== undefined && nowMs - found.sinceMs < LIFETIME_MS) return found;
    this.#partials.delete(key);
    for (const [oldest, { sinceMs }] of this.#partials) {
      if (this.#partials.size < MOST_PACKETS && nowMs - sinceMs < LIFETIME_MS) break;
      this.#partials.delete(oldest);
    }
    const fresh: Partial = { sinceMs: nowMs, pieces: [], bytes: 0, length: undefined };
    this.#partials.set(key, fresh);
    return fresh;
  }
}
