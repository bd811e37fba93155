/** Addresses: Ethernet's as numbers of 48 bits, IP's as 4 or 16 bytes, and how people write them. */

/** An IP address: 4 bytes or 16. */
export type IpAddress = Uint8Array;

export const BROADCAST_MAC = 0xffff_ffff_ffff;

/** The Ethernet address at a place in a frame. */
export const readMac = (bytes: Uint8Array, at: number): number =>
  (bytes[at] * 256 + bytes[at + 1]) * 2 ** 32 +
  (((bytes[at + 2] << 24) | (bytes[at + 3] << 16) | (bytes[at + 4] << 8) | bytes[at + 5]) >>> 0);

export function writeMac(bytes: Uint8Array, at: number, mac: number): void {
  for (let i = 5, rest = mac; i >= 0; i--, rest = Math.floor(rest / 256)) bytes[at + i] = rest % 256;
}

export const isGroupMac = (mac: number): boolean => Math.floor(mac / 2 ** 40) % 2 === 1;

export function macBytes(mac: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(6);
  writeMac(bytes, 0, mac);
  return bytes;
}

/** `02:00:5e:10:00:01`. */
export const formatMac = (mac: number): string =>
  macBytes(mac)
    .toHex()
    .replace(/..(?!$)/g, "$&:");

/** The Ethernet address that a text spells, if it does. */
export function parseMac(text: string): number | undefined {
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text) ? Number.parseInt(text.replaceAll(":", ""), 16) : undefined;
}

export const familyOf = (address: IpAddress): 4 | 6 => (address.length === 4 ? 4 : 6);

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** As people write it; IPv6 with its longest run of zeros left out. @spec RFC 5952 */
export function formatIp(address: IpAddress): string {
  if (address.length === 4) return address.join(".");
  const words = Array.from({ length: 8 }, (_, i) => ((address[i * 2] << 8) | address[i * 2 + 1]).toString(16));
  const zeros = words.map((word) => (word === "0" ? "0" : "-")).join("");
  const longest = (/0{8}|0{7}|0{6}|0{5}|0{4}|0{3}|0{2}/.exec(zeros)?.[0] ?? "").length;
  if (longest < 2) return words.join(":");
  const at = zeros.indexOf("0".repeat(longest));
  return `${words.slice(0, at).join(":")}::${words.slice(at + longest).join(":")}`;
}

/** The address that a text spells, if it does. */
export function parseIp(text: string): Uint8Array<ArrayBuffer> | undefined {
  return text.includes(":") ? parseIp6(text) : parseIp4(text);
}

function parseIp4(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const bytes = text.split(".").map(Number);
  return bytes.every((byte) => byte <= 255) ? Uint8Array.from(bytes) : undefined;
}

function parseIp6(text: string): Uint8Array<ArrayBuffer> | undefined {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const tail = dotted === null ? undefined : parseIp4(dotted[2]);
  if (dotted !== null && tail === undefined) return undefined;
  const plain = tail === undefined ? text : `${dotted?.[1]}${tail.toHex().replace(/^..../, "$&:")}`;
  const halves = plain.split("::");
  if (halves.length > 2) return undefined;
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const [head, rest] = [groups(halves[0]), groups(halves[1] ?? "")];
  const missing = 8 - head.length - rest.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all = [...head, ...Array<string>(missing).fill("0"), ...rest];
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return Uint8Array.fromHex(all.map((group) => group.padStart(4, "0")).join(""));
}

/** `address` where it must be one: for constants of this program. */
export function ip(text: string): Uint8Array<ArrayBuffer> {
  const address = parseIp(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

/** A range of addresses: those that share the first `bits` bits. */
export interface IpRange {
  readonly address: IpAddress;
  readonly bits: number;
}

/** `10.0.0.0/8`, `fd00::/8`, or one address. */
export function parseRange(text: string): IpRange | undefined {
  const [plain, length, ...more] = text.split("/");
  const address = parseIp(plain);
  if (address === undefined || more.length > 0) return undefined;
  const most = address.length * 8;
  if (length === undefined) return { address, bits: most };
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  return bits <= most ? { address, bits } : undefined;
}

export function inRange(address: IpAddress, { address: base, bits }: IpRange): boolean {
  if (address.length !== base.length) return false;
  for (let i = 0, left = bits; left > 0; i++, left -= 8) {
    const mask = left >= 8 ? 0xff : (0xff00 >> left) & 0xff;
    if (((address[i] ^ base[i]) & mask) !== 0) return false;
  }
  return true;
}
