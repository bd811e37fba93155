/**
 * What a hart's interpreter has decoded, to be handed to a restored one: decoding afresh takes a short run as long as
 * executing. Nothing of it is state. Who calls it: whoever restores machines again and again.
 */
import { compressedInstructions, instructions } from "@bulkhead/isa";
import { DECODE_ENTRIES, DecodeEntry, HartState, hartBase } from "../hart/layout.ts";
import type { GuestMemory } from "../memory.ts";

const ENTRY_WORDS = DecodeEntry.bytes / 4;
/** The word of an entry that holds its handler, and the bits of it. */
const HANDLER = DecodeEntry.handler / 4;
const HANDLER_BITS = 0xffff;
/** An entry as it is handed on: its place, then its words. */
const PACKED_WORDS = 1 + ENTRY_WORDS;

/** Tells programs apart that decode differently: what one has decoded is of no use to the other. */
export function decodeSignature(): number {
  const names = [...instructions, ...compressedInstructions].map(({ name }) => name);
  let hash = 0x811c_9dc5;
  for (const character of [...names, JSON.stringify(DecodeEntry), DECODE_ENTRIES].join()) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x0100_0193);
  }
  return hash >>> 0;
}

/** What a hart has decoded so far. */
export function takeDecoded(memory: GuestMemory, hart: number): Uint32Array<ArrayBuffer> {
  const cache = cacheOf(memory, hart);
  const packed: number[] = [];
  for (let entry = 0; entry < DECODE_ENTRIES; entry++) {
    const at = entry * ENTRY_WORDS;
    if ((cache[at + HANDLER] & HANDLER_BITS) !== 0) packed.push(entry, ...cache.subarray(at, at + ENTRY_WORDS));
  }
  return Uint32Array.from(packed);
}

/** Before the hart runs. What is not as `takeDecoded` gives it is left out. */
export function giveDecoded(memory: GuestMemory, hart: number, packed: Uint32Array): void {
  const cache = cacheOf(memory, hart);
  for (let at = 0; at + PACKED_WORDS <= packed.length; at += PACKED_WORDS) {
    if (packed[at] < DECODE_ENTRIES) cache.set(packed.subarray(at + 1, at + PACKED_WORDS), packed[at] * ENTRY_WORDS);
  }
}

const cacheOf = (memory: GuestMemory, hart: number): Uint32Array =>
  new Uint32Array(memory.buffer, hartBase(hart) + HartState.decodeCache, DECODE_ENTRIES * ENTRY_WORDS);
