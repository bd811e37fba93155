/** As much of DNS messages as a forwarder has to understand. @spec RFC 1035 "Messages" */
import type { IpAddress } from "../../wire/address.ts";

export const DNS_PORT = 53;
const HEADER_BYTES = 12;
const MOST_LABELS = 128;
/** Records of an answer that are looked at. */
const MOST_RECORDS = 256;

export const RecordType = { a: 1, aaaa: 28 } as const;
export const ResponseCode = { formatError: 1, serverFailure: 2, refused: 5 } as const;
const RESPONSE = 0x8000;
const RECURSION = 0x0180;

export interface Query {
  readonly id: number;
  /** In lower case, without a dot at the end. */
  readonly name: string;
  readonly type: number;
  /** Bytes of header and question. */
  readonly length: number;
}

/** The question of a message that asks one, or undefined. */
export function parseQuery(bytes: Uint8Array): Query | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  if ((view.getUint16(2) & 0xf800) !== 0 || view.getUint16(4) !== 1) return undefined;
  const question = readQuestion(bytes);
  return question === undefined ? undefined : { id: view.getUint16(0), ...question };
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

function readQuestion(bytes: Uint8Array): { name: string; type: number; length: number } | undefined {
  const found = readName(bytes, HEADER_BYTES);
  if (found === undefined || found.end + 4 > bytes.length) return undefined;
  return { name: found.name, type: viewOf(bytes).getUint16(found.end), length: found.end + 4 };
}

/** A name at a place, pointers followed. They may only point back, so that there is an end. */
function readName(bytes: Uint8Array, start: number): { name: string; end: number } | undefined {
  const labels: string[] = [];
  let end: number | undefined;
  let limit = bytes.length;
  for (let at = start, count = 0; count < MOST_LABELS; count++) {
    if (at >= limit) return undefined;
    const length = bytes[at];
    if (length === 0) return { name: labels.join("."), end: end ?? at + 1 };
    if ((length & 0xc0) === 0xc0) {
      const target = ((length & 0x3f) << 8) | (bytes[at + 1] ?? 0);
      end ??= at + 2;
      if (target >= at) return undefined;
      limit = at;
      at = target;
    } else {
      if (length > 63 || at + 1 + length > limit) return undefined;
      labels.push(label(bytes.subarray(at + 1, at + 1 + length)));
      at += 1 + length;
    }
  }
  return undefined;
}

/** A dot within a label must not look like one between labels. */
const label = (bytes: Uint8Array): string =>
  String.fromCharCode(...bytes)
    .toLowerCase()
    .replaceAll(".", "\\.");

/** Whether a message is the answer to a query. */
export function answers(bytes: Uint8Array, query: Query): boolean {
  if (bytes.length < HEADER_BYTES) return false;
  const view = viewOf(bytes);
  if (view.getUint16(0) !== query.id || (view.getUint16(2) & RESPONSE) === 0) return false;
  if (view.getUint16(4) !== 1) return false;
  const question = readQuestion(bytes);
  return question !== undefined && question.name === query.name && question.type === query.type;
}

/** The addresses that an answer holds. Whatever is malformed ends the list. */
export function addressesIn(bytes: Uint8Array): IpAddress[] {
  const question = readQuestion(bytes);
  const addresses: IpAddress[] = [];
  if (question === undefined) return addresses;
  const view = viewOf(bytes);
  const records = Math.min(view.getUint16(6), MOST_RECORDS);
  for (let i = 0, at = question.length; i < records; i++) {
    const name = readName(bytes, at);
    if (name === undefined || name.end + 10 > bytes.length) break;
    const type = view.getUint16(name.end);
    const length = view.getUint16(name.end + 8);
    const data = name.end + 10;
    if (data + length > bytes.length) break;
    const wanted = type === RecordType.a ? 4 : type === RecordType.aaaa ? 16 : undefined;
    if (wanted === length) addresses.push(bytes.slice(data, data + length));
    at = data + length;
  }
  return addresses;
}

/** An answer with nothing but a code. */
export function failure(query: Uint8Array, { length }: Query, code: number): Uint8Array<ArrayBuffer> {
  const bytes = query.slice(0, length) as Uint8Array<ArrayBuffer>;
  const view = viewOf(bytes);
  view.setUint16(2, RESPONSE | RECURSION | (view.getUint16(2) & 0x0100) | code);
  for (const count of [6, 8, 10]) view.setUint16(count, 0);
  return bytes;
}

/** An answer with addresses of the type that was asked for; those of the other type are left out. */
export function addressAnswer(
  query: Uint8Array,
  { length, type }: Query,
  addresses: readonly IpAddress[],
): Uint8Array<ArrayBuffer> {
  const bytes = type === RecordType.a ? 4 : 16;
  const matching = addresses.filter((address) => address.length === bytes);
  const message = new Uint8Array(length + matching.length * (12 + bytes));
  message.set(query.subarray(0, length));
  const view = viewOf(message);
  view.setUint16(2, RESPONSE | RECURSION | (view.getUint16(2) & 0x0100));
  view.setUint16(6, matching.length);
  for (const count of [8, 10]) view.setUint16(count, 0);
  for (const [i, address] of matching.entries()) {
    const at = length + i * (12 + bytes);
    view.setUint16(at, 0xc000 | HEADER_BYTES);
    view.setUint16(at + 2, type);
    view.setUint16(at + 4, 1);
    view.setUint32(at + 6, 60);
    view.setUint16(at + 10, bytes);
    message.set(address, at + 12);
  }
  return message;
}
