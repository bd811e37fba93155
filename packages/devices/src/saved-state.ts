/**
 * The stored form of a device's state: what it belongs to, its version, the data and a checksum. State in memory is
 * plain data (numbers, strings, booleans, bigints, byte arrays, lists and records of these). Who calls it: snapshots.
 */

import { StateError } from "@bulkhead/machine";

export { expectState, StateError } from "@bulkhead/machine";

/** Bytes that `unsealState` takes back. */
export function sealState(kind: string, state: unknown): Uint8Array<ArrayBuffer> {
  const body = JSON.stringify({ kind, state }, encode);
  return new TextEncoder().encode(`${checksum(body)} ${body}`);
}

/** The state in sealed bytes. Errors: `state-corrupt` if a byte is missing or changed, `state-mismatch` for another kind. */
export function unsealState(kind: string, sealed: Uint8Array<ArrayBuffer>): unknown {
  const text = new TextDecoder().decode(sealed);
  const body = text.slice(9);
  if (text.slice(0, 9) !== `${checksum(body)} `)
    throw new StateError("state-corrupt", `the state of ${kind} is damaged`);
  const found: { kind: string; state: unknown } = JSON.parse(body, decode);
  if (found.kind !== kind) throw new StateError("state-mismatch", `expected the state of ${kind}, found ${found.kind}`);
  return found.state;
}

/** State as text, without a checksum: for whoever has one of its own. */
export const stateText = (state: unknown): string => JSON.stringify(state, encode);

/** Errors: `SyntaxError` and the like for what is no such text. */
export const stateFromText = (text: string): unknown => JSON.parse(text, decode);

function encode(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return { $bigint: value.toString() };
  return value instanceof Uint8Array ? { $bytes: value.toHex() } : value;
}

function decode(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("$bigint" in value) return BigInt(String(value.$bigint));
  return "$bytes" in value ? Uint8Array.fromHex(String(value.$bytes)) : value;
}

/** CRC-32 (IEEE) in eight hexadecimal digits. */
function checksum(text: string): string {
  let crc = 0xffff_ffff;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? 0xedb8_8320 : 0);
  }
  return (~crc >>> 0).toString(16).padStart(8, "0");
}
