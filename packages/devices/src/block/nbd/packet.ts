/** Requests and replies of NBD's transmission phase. @spec NBD "Request message", "Simple reply message" */
import type { ServedRequest } from "../remote/server.ts";
import { viewOf } from "./negotiate.ts";

const REQUEST_MAGIC = 0x2560_9513;
const REPLY_MAGIC = 0x6744_6698;
const REQUEST_BYTES = 28;
export const REPLY_BYTES = 16;

export const Command = { read: 0, write: 1, disconnect: 2, flush: 3, trim: 4, writeZeroes: 6 } as const;
const NO_HOLE = 2;

/** A request as it is sent. @param cookie tells its reply from others. */
export function encodeRequest(command: number, cookie: number, request: Partial<ServedRequest> = {}): Uint8Array {
  const { offset = 0, length = 0, unmap = true, data } = request;
  const payload = command === Command.write ? data : undefined;
  const packet = new Uint8Array(REQUEST_BYTES + (payload?.length ?? 0));
  const view = viewOf(packet);
  view.setUint32(0, REQUEST_MAGIC);
  view.setUint16(4, command === Command.writeZeroes && !unmap ? NO_HOLE : 0);
  view.setUint16(6, command);
  view.setUint32(12, cookie);
  view.setUint32(16, Math.floor(offset / 2 ** 32));
  view.setUint32(20, offset >>> 0);
  view.setUint32(24, length);
  if (payload !== undefined) packet.set(payload, REQUEST_BYTES);
  return packet;
}

export interface Reply {
  readonly cookie: number;
  /** 0, or an error number of the protocol. */
  readonly error: number;
}

/** Undefined for what is no reply. */
export function decodeReply(bytes: Uint8Array): Reply | undefined {
  const view = viewOf(bytes);
  if (view.getUint32(0) !== REPLY_MAGIC || view.getUint32(8) !== 0) return undefined;
  return { error: view.getUint32(4), cookie: view.getUint32(12) };
}

/** @spec NBD "Error values" */
const errorNames: Readonly<Record<number, string>> = {
  1: "not permitted",
  5: "I/O error",
  12: "out of memory",
  22: "invalid request",
  28: "no space left",
  75: "out of range",
  95: "not supported",
};
/** The server is going away: the request is to be made again on another connection. */
export const SHUTTING_DOWN = 108;

export const errorName = (error: number): string => errorNames[error] ?? `error ${error}`;
