/**
 * What the host's files cannot hold of what a guest has set: owners, modes, kinds of node, exact times and extended
 * attributes of one object, and how such a record is written in a line of text. Who calls it: `MetadataStore`.
 */
import type { Identity } from "./node.ts";

/** A time that was set to the nanosecond, and what the host has made of it. If the host has another one, that counts. */
export interface ExactTime {
  readonly exactNs: bigint;
  readonly hostNs: bigint;
}

/** Each part is missing where the host's own is right. */
export interface Metadata {
  readonly uid?: number;
  readonly gid?: number;
  /** Type and permissions, as long as the host's mode is `hostMode`. The type counts always. */
  readonly mode?: number;
  readonly hostMode?: number;
  readonly rdev?: number;
  readonly atime?: ExactTime;
  readonly mtime?: ExactTime;
  /** By name; both byte strings. */
  readonly xattrs?: Readonly<Record<string, string>>;
}

/** A record's line. Metadata undefined: there is nothing to say of the object any more. */
export interface MetadataRecord {
  readonly key: string;
  readonly metadata: Metadata | undefined;
}

/** Names an object for as long as it exists. Devices have other numbers after a restart of the host. */
export const metadataKey = ({ dev, ino, birthtimeNs }: Identity): string =>
  birthtimeNs > 0n ? `${ino}:${birthtimeNs}` : `${ino}:@${dev}`;

export const isEmpty = (metadata: Metadata): boolean => Object.values(metadata).every((value) => value === undefined);

/** A line with its checksum, newline included. */
export function writeRecord({ key, metadata }: MetadataRecord): string {
  const body = JSON.stringify([key, metadata ?? null], (_, value) => (typeof value === "bigint" ? `${value}n` : value));
  return `${checksum(body)} ${body}\n`;
}

/** The record in a line without its newline; undefined if it is damaged. */
export function readRecord(line: string): MetadataRecord | undefined {
  const body = line.slice(9);
  if (line.slice(0, 9) !== `${checksum(body)} `) return undefined;
  try {
    const [key, found] = JSON.parse(body);
    if (typeof key !== "string") return undefined;
    return { key, metadata: found === null ? undefined : metadataOf(found) };
  } catch {
    return undefined;
  }
}

/** Takes over what has the right type, and nothing else. */
function metadataOf(found: Record<string, unknown>): Metadata {
  const number = (name: string): number | undefined =>
    typeof found[name] === "number" ? (found[name] as number) : undefined;
  return {
    uid: number("uid"),
    gid: number("gid"),
    mode: number("mode"),
    hostMode: number("hostMode"),
    rdev: number("rdev"),
    atime: timeOf(found.atime),
    mtime: timeOf(found.mtime),
    xattrs: xattrsOf(found.xattrs),
  };
}

function timeOf(found: unknown): ExactTime | undefined {
  const { exactNs, hostNs } = (found ?? {}) as Record<string, unknown>;
  const isTime = (text: unknown): text is string => typeof text === "string" && /^-?\d{1,20}n$/.test(text);
  if (!isTime(exactNs) || !isTime(hostNs)) return undefined;
  return { exactNs: BigInt(exactNs.slice(0, -1)), hostNs: BigInt(hostNs.slice(0, -1)) };
}

function xattrsOf(found: unknown): Record<string, string> | undefined {
  if (typeof found !== "object" || found === null) return undefined;
  const entries = Object.entries(found).filter(([, value]) => typeof value === "string");
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** CRC-32 (IEEE) of a text of bytes, in eight hexadecimal digits. */
function checksum(text: string): string {
  let crc = -1;
  for (let i = 0; i < text.length; i++) crc = TABLE[(crc ^ text.charCodeAt(i)) & 0xff] ^ (crc >>> 8);
  return (~crc >>> 0).toString(16).padStart(8, "0");
}

const TABLE = Int32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ ((value & 1) === 1 ? 0xedb8_8320 : 0);
  return value;
});
