/**
 * The handshake with an NBD server: fixed newstyle, without TLS. @spec NBD "Protocol phases", "Option types".
 * Who calls it: `NbdDisk`, on each new connection.
 */
import { DiskError } from "../disk-error.ts";
import type { ByteStream } from "./stream.ts";

const NBD_MAGIC = 0x4e42_444d_4147_4943n;
const OPTION_MAGIC = 0x4948_4156_454f_5054n;
const OPTION_REPLY_MAGIC = 0x0003_e889_0455_65a9n;

const HandshakeFlag = { fixedNewstyle: 1, noZeroes: 2 } as const;
const Option = { exportName: 1, abort: 2, go: 7 } as const;
const Information = { export: 0, blockSize: 3 } as const;
const Reply = { acknowledge: 1, information: 3, error: 2 ** 31 } as const;
const ReplyError = { unsupported: 1, policy: 2, invalid: 3, tlsRequired: 5, unknown: 6 } as const;

/** @spec NBD "Transmission flags" */
const TransmissionFlag = { readOnly: 2, flush: 4, trim: 32, writeZeroes: 64 } as const;

const MOST_REPLY_BYTES = 65536;
const MOST_REPLIES = 64;
/** Requests of the guest are whole sectors; a server that wants more is no use. */
const LARGEST_UNIT = 512;

export interface NbdExport {
  /** Bytes. */
  readonly size: number;
  readonly readOnly: boolean;
  readonly canFlush: boolean;
  readonly canTrim: boolean;
  readonly canWriteZeroes: boolean;
}

/** Errors: `disk-unreachable` with what the server said; those of the stream. */
export async function negotiate(stream: ByteStream, exportName: string): Promise<NbdExport> {
  const greeting = viewOf(await stream.read(18));
  if (greeting.getBigUint64(0) !== NBD_MAGIC) throw refused("it is no NBD server");
  if (greeting.getBigUint64(8) !== OPTION_MAGIC)
    throw refused("it speaks the oldstyle protocol, which is not supported");
  const flags = greeting.getUint16(16);
  if ((flags & HandshakeFlag.fixedNewstyle) === 0) throw refused("it does not offer fixed newstyle negotiation");
  const noZeroes = flags & HandshakeFlag.noZeroes;
  stream.write(words([HandshakeFlag.fixedNewstyle | noZeroes]));
  return (await go(stream, exportName)) ?? (await byExportName(stream, exportName, noZeroes !== 0));
}

/** Asks for an export. @returns undefined where the server does not know this option. @spec NBD "NBD_OPT_GO" */
async function go(stream: ByteStream, exportName: string): Promise<NbdExport | undefined> {
  const name = new TextEncoder().encode(exportName);
  const data = new Uint8Array(4 + name.length + 4);
  viewOf(data).setUint32(0, name.length);
  data.set(name, 4);
  viewOf(data).setUint16(4 + name.length, 1);
  viewOf(data).setUint16(6 + name.length, Information.blockSize);
  sendOption(stream, Option.go, data);
  let found: NbdExport | undefined;
  for (let i = 0; i < MOST_REPLIES; i++) {
    const { type, data } = await readReply(stream, Option.go);
    if (type === Reply.acknowledge) return found;
    if (type >= Reply.error) {
      if (type === Reply.error + ReplyError.unsupported) return undefined;
      throw replyError(type - Reply.error, exportName, data);
    }
    if (type !== Reply.information || data.length < 2) continue;
    const kind = viewOf(data).getUint16(0);
    if (kind === Information.export && data.length >= 12) found = exportOf(viewOf(data), 2);
    if (kind === Information.blockSize && data.length >= 14) {
      const unit = viewOf(data).getUint32(2);
      if (unit > LARGEST_UNIT) throw refused(`it wants requests of ${unit} bytes at least`);
    }
  }
  throw refused("it answers without end");
}

/** @spec NBD "NBD_OPT_EXPORT_NAME": a server that does not have the export just closes the connection. */
async function byExportName(stream: ByteStream, exportName: string, noZeroes: boolean): Promise<NbdExport> {
  sendOption(stream, Option.exportName, new TextEncoder().encode(exportName));
  const answer = await stream.read(noZeroes ? 10 : 134).catch((cause) => {
    throw new DiskError("disk-unreachable", `it has no export "${exportName}"`, { cause });
  });
  return exportOf(viewOf(answer), 0);
}

function exportOf(view: DataView, at: number): NbdExport {
  const bytes = view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
  const flags = view.getUint16(at + 8);
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if (bytes > Number.MAX_SAFE_INTEGER) throw refused(`its export has ${bytes} bytes`);
  return {
    size: bytes - (bytes % 512),
    readOnly: has(TransmissionFlag.readOnly),
    canFlush: has(TransmissionFlag.flush),
    canTrim: has(TransmissionFlag.trim),
    canWriteZeroes: has(TransmissionFlag.writeZeroes),
  };
}

function sendOption(stream: ByteStream, option: number, data: Uint8Array): void {
  const head = new Uint8Array(16 + data.length);
  const view = viewOf(head);
  view.setBigUint64(0, OPTION_MAGIC);
  view.setUint32(8, option);
  view.setUint32(12, data.length);
  head.set(data, 16);
  stream.write(head);
}

async function readReply(stream: ByteStream, option: number): Promise<{ type: number; data: Uint8Array }> {
  const view = viewOf(await stream.read(20));
  const length = view.getUint32(16);
  if (view.getBigUint64(0) !== OPTION_REPLY_MAGIC || view.getUint32(8) !== option || length > MOST_REPLY_BYTES) {
    throw refused("its answer makes no sense");
  }
  return { type: view.getUint32(12), data: await stream.read(length) };
}

function replyError(code: number, exportName: string, data: Uint8Array): DiskError {
  const said = new TextDecoder().decode(data).replace(/[^ -~]/g, "");
  const detail = said === "" ? "" : ` (${said.slice(0, 200)})`;
  if (code === ReplyError.tlsRequired) return refused("it demands TLS, which is not supported");
  if (code === ReplyError.unknown) return refused(`it has no export "${exportName}"${detail}`);
  if (code === ReplyError.policy) return refused(`it does not allow export "${exportName}"${detail}`);
  return refused(`it refuses export "${exportName}" with error ${code}${detail}`);
}

const refused = (why: string): DiskError => new DiskError("disk-unreachable", why);

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function words(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  for (const [i, value] of values.entries()) viewOf(bytes).setUint32(i * 4, value);
  return bytes;
}
