/** A FUSE client for tests: says what a Linux guest would say, without a guest, and takes answers apart. */
import type { Exchange } from "../share/exchange.ts";
import { IN_HEADER_BYTES, Opcode, OUT_HEADER_BYTES, ROOT_NODE, SetAttribute } from "../share/fuse/protocol.ts";
import type { FuseSession } from "../share/fuse/session.ts";

/** What a request was refused with. */
export class FuseError extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super(`error ${errno}`);
    this.errno = errno;
  }
}

export interface ClientAttributes {
  readonly ino: bigint;
  readonly size: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
}

export interface ClientEntry extends ClientAttributes {
  readonly node: number;
}

export interface ClientChanges {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly atimeNs?: bigint;
  readonly mtimeNs?: bigint;
}

/** A request in one buffer, cut into pieces as a guest's memory might be. */
export class BufferExchange implements Exchange {
  readonly answer: Uint8Array;
  #input: Uint8Array;
  #written = 0;
  readonly #pieceBytes: number;

  constructor(input: Uint8Array, room: number, pieceBytes = 4096) {
    this.#input = input;
    this.answer = new Uint8Array(room);
    this.#pieceBytes = pieceBytes;
  }

  get readable(): number {
    return this.#input.length;
  }

  get writable(): number {
    return this.answer.length - this.#written;
  }

  readInto(into: Uint8Array): void {
    into.set(this.#input.subarray(0, into.length));
    this.#input = this.#input.subarray(into.length);
  }

  readViews(length: number): Uint8Array[] {
    const views = this.#cut(this.#input.subarray(0, length));
    this.#input = this.#input.subarray(length);
    return views;
  }

  writeViews(length: number): Uint8Array[] {
    const views = this.#cut(this.answer.subarray(this.#written, this.#written + length));
    this.#written = Math.min(this.answer.length, this.#written + length);
    return views;
  }

  #cut(bytes: Uint8Array): Uint8Array[] {
    const views: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += this.#pieceBytes) views.push(bytes.subarray(at, at + this.#pieceBytes));
    return views;
  }
}

/** Integers, little-endian: numbers are 32 bits, bigints 64. Strings end with a zero byte. */
export function pack(...parts: readonly (number | bigint | string | Uint8Array)[]): Uint8Array {
  const pieces = parts.map((part) => {
    if (part instanceof Uint8Array) return part;
    if (typeof part === "string") return Uint8Array.from(`${part}\0`, (char) => char.charCodeAt(0));
    const bytes = new Uint8Array(typeof part === "bigint" ? 8 : 4);
    const view = new DataView(bytes.buffer);
    if (typeof part === "bigint") view.setBigUint64(0, BigInt.asUintN(64, part), true);
    else view.setUint32(0, part, true);
    return bytes;
  });
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const ANSWER_BYTES = 4096;
const NS = 1_000_000_000n;

export class FuseClient {
  readonly session: FuseSession;
  readonly #pieceBytes: number;
  caller = { uid: 0, gid: 0 };
  #unique = 1n;

  constructor(session: FuseSession, pieceBytes?: number) {
    this.session = session;
    this.#pieceBytes = pieceBytes ?? 4096;
  }

  /** Sends a request. @returns what follows the answer's header. Throws a `FuseError`. */
  request(opcode: number, node: number, body: Uint8Array, room = ANSWER_BYTES): DataView {
    const unique = this.#unique++;
    const { uid, gid } = this.caller;
    const header = pack(IN_HEADER_BYTES + body.length, opcode, unique, BigInt(node), uid, gid, 1, 0);
    const exchange = new BufferExchange(pack(header, body), room + OUT_HEADER_BYTES, this.#pieceBytes);
    const wrong = this.session.serve(exchange);
    if (wrong !== undefined) throw new Error(wrong);
    const { buffer } = exchange.answer;
    const answer = new DataView(buffer);
    if (opcode === Opcode.forget) return answer;
    if (answer.getBigUint64(8, true) !== unique) throw new Error("the answer is to another request");
    const errno = -answer.getInt32(4, true);
    if (errno !== 0) throw new FuseError(errno);
    return new DataView(buffer, OUT_HEADER_BYTES, answer.getUint32(0, true) - OUT_HEADER_BYTES);
  }

  init(flags = 0xffff_ffff): DataView {
    return this.request(Opcode.init, 0, pack(7, 41, 131072, flags, new Uint8Array(48)));
  }

  lookup(node: number, name: string): ClientEntry {
    return entryOf(this.request(Opcode.lookup, node, pack(name)));
  }

  /** The node that a path of names leads to. */
  walk(path: string): ClientEntry {
    let found: ClientEntry = { node: ROOT_NODE, ...this.attributes(ROOT_NODE) };
    for (const name of path.split("/").filter((part) => part !== "")) found = this.lookup(found.node, name);
    return found;
  }

  forget(node: number, references = 1): void {
    this.request(Opcode.forget, node, pack(BigInt(references)));
  }

  attributes(node: number): ClientAttributes {
    return attributesAt(this.request(Opcode.getattr, node, pack(0, 0, 0n)), 16);
  }

  change(node: number, changes: ClientChanges): ClientAttributes {
    const { mode, uid, gid, size, atimeNs, mtimeNs } = changes;
    const bit = (value: unknown, flag: number): number => (value === undefined ? 0 : flag);
    const valid =
      bit(mode, SetAttribute.mode) |
      bit(uid, SetAttribute.uid) |
      bit(gid, SetAttribute.gid) |
      bit(size, SetAttribute.size) |
      bit(atimeNs, SetAttribute.atime) |
      bit(mtimeNs, SetAttribute.mtime);
    const times = [atimeNs ?? 0n, mtimeNs ?? 0n];
    const body = pack(
      ...[valid, 0, 0n, BigInt(size ?? 0), 0n, ...times.map((time) => time / NS), 0n],
      ...[...times.map((time) => Number(time % NS)), 0, mode ?? 0, 0, uid ?? 0, gid ?? 0, 0],
    );
    return attributesAt(this.request(Opcode.setattr, node, body), 16);
  }

  makeFile(node: number, name: string, mode = 0o100644, rdev = 0): ClientEntry {
    return entryOf(this.request(Opcode.mknod, node, pack(mode, rdev, 0, 0, name)));
  }

  makeDirectory(node: number, name: string, mode = 0o755): ClientEntry {
    return entryOf(this.request(Opcode.mkdir, node, pack(mode, 0, name)));
  }

  makeLink(node: number, name: string, target: string): ClientEntry {
    return entryOf(this.request(Opcode.symlink, node, pack(name, target)));
  }

  readLink(node: number): string {
    return text(this.request(Opcode.readlink, node, new Uint8Array(0)));
  }

  link(node: number, parent: number, name: string): ClientEntry {
    return entryOf(this.request(Opcode.link, parent, pack(BigInt(node), name)));
  }

  unlink(node: number, name: string): void {
    this.request(Opcode.unlink, node, pack(name));
  }

  removeDirectory(node: number, name: string): void {
    this.request(Opcode.rmdir, node, pack(name));
  }

  rename(node: number, name: string, to: number, toName: string, flags = 0): void {
    this.request(Opcode.rename2, node, pack(BigInt(to), flags, 0, name, toName));
  }

  read(node: number, offset: number, size: number): Uint8Array {
    const found = this.request(Opcode.read, node, pack(0n, BigInt(offset), size, 0, 0n, 0, 0), size);
    return new Uint8Array(found.buffer, found.byteOffset, found.byteLength);
  }

  /** @param flags of the open file. */
  write(node: number, offset: number, data: Uint8Array | string, flags = 0, writeFlags = 0): number {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    const body = pack(0n, BigInt(offset), bytes.length, writeFlags, 0n, flags, 0, bytes);
    return this.request(Opcode.write, node, body).getUint32(0, true);
  }

  /** All of a file. */
  content(node: number): string {
    return new TextDecoder().decode(this.read(node, 0, 1 << 20));
  }

  sync(node: number): void {
    this.request(Opcode.fsync, node, pack(0n, 0, 0));
  }

  /** Names in a directory, without dots, sorted; `plus` as a guest does it that wants attributes too. */
  list(node: number, plus = true): string[] {
    const handle = this.request(Opcode.opendir, node, pack(0, 0)).getBigUint64(0, true);
    const names: string[] = [];
    for (let offset = 0n; ; ) {
      const body = pack(handle, offset, ANSWER_BYTES, 0, 0n, 0, 0);
      const page = this.request(plus ? Opcode.readdirplus : Opcode.readdir, node, body);
      if (page.byteLength === 0) break;
      for (let at = 0; at < page.byteLength; ) {
        const dirent = at + (plus ? 128 : 0);
        const length = page.getUint32(dirent + 16, true);
        names.push(text(new DataView(page.buffer, page.byteOffset + dirent + 24, length)));
        offset = page.getBigUint64(dirent + 8, true);
        const known = plus ? Number(page.getBigUint64(at, true)) : 0;
        if (known !== 0) this.forget(known);
        at = dirent + ((24 + length + 7) & ~7);
      }
    }
    this.request(Opcode.releasedir, node, pack(handle, 0, 0, 0n));
    return names.filter((name) => name !== "." && name !== "..").sort();
  }

  setXattr(node: number, name: string, value: string, flags = 0): void {
    const bytes = Uint8Array.from(value, (char) => char.charCodeAt(0));
    this.request(Opcode.setxattr, node, pack(bytes.length, flags, name, bytes));
  }

  getXattr(node: number, name: string, size = 65536): string {
    return text(this.request(Opcode.getxattr, node, pack(size, 0, name), Math.max(size, 8)));
  }

  listXattr(node: number): string[] {
    const list = text(this.request(Opcode.listxattr, node, pack(65536, 0), 65536));
    return list.split("\0").filter((name) => name !== "");
  }

  removeXattr(node: number, name: string): void {
    this.request(Opcode.removexattr, node, pack(name));
  }
}

const text = (view: DataView): string =>
  String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset, view.byteLength));

const entryOf = (view: DataView): ClientEntry => ({
  node: Number(view.getBigUint64(0, true)),
  ...attributesAt(view, 40),
});

function attributesAt(view: DataView, at: number): ClientAttributes {
  const time = (index: number): bigint =>
    view.getBigInt64(at + 24 + index * 8, true) * NS + BigInt(view.getUint32(at + 48 + index * 4, true));
  const [mode, nlink, uid, gid, rdev] = [60, 64, 68, 72, 76].map((offset) => view.getUint32(at + offset, true));
  return {
    ino: view.getBigUint64(at, true),
    size: Number(view.getBigUint64(at + 8, true)),
    mode,
    nlink,
    uid,
    gid,
    rdev,
    atimeNs: time(0),
    mtimeNs: time(1),
  };
}
