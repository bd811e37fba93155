/** A packet between sockets of guest and host: its header. @spec virtio "Socket Device" "Device Operation" */

export const VSOCK_HEADER_BYTES = 44;
/** Most bytes of data in a packet; a driver's largest. */
export const MOST_PACKET_BYTES = 64 * 1024;
/** The host's own address. @spec virtio "Virtqueues" of the socket device */
export const HOST_CID = 2;
export const STREAM = 1;

export const Operation = {
  /** No packet's: between device and host it says that the guest has reset its device. */
  none: 0,
  request: 1,
  response: 2,
  reset: 3,
  shutdown: 4,
  data: 5,
  creditUpdate: 6,
  creditRequest: 7,
} as const;

/** What the sender of a shutdown will not do any more. */
export const Shutdown = { receive: 1, send: 2, both: 3 } as const;

export interface VsockHeader {
  readonly sourceCid: number;
  readonly destinationCid: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Bytes of data behind the header. */
  readonly length: number;
  readonly type: number;
  readonly operation: number;
  readonly flags: number;
  /** Bytes that the sender keeps for this connection, and how many of all that came it has passed on, modulo 2^32. */
  readonly buffer: number;
  readonly forwarded: number;
}

export function encodeVsockHeader(header: VsockHeader): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(VSOCK_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, header.sourceCid, true);
  view.setUint32(8, header.destinationCid, true);
  view.setUint32(16, header.sourcePort, true);
  view.setUint32(20, header.destinationPort, true);
  view.setUint32(24, header.length, true);
  view.setUint16(28, header.type, true);
  view.setUint16(30, header.operation, true);
  view.setUint32(32, header.flags, true);
  view.setUint32(36, header.buffer, true);
  view.setUint32(40, header.forwarded, true);
  return bytes;
}

/** @param bytes at least a header. */
export function parseVsockHeader(bytes: Uint8Array): VsockHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, VSOCK_HEADER_BYTES);
  return {
    sourceCid: view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true),
    destinationCid: view.getUint32(12, true) * 2 ** 32 + view.getUint32(8, true),
    sourcePort: view.getUint32(16, true),
    destinationPort: view.getUint32(20, true),
    length: view.getUint32(24, true),
    type: view.getUint16(28, true),
    operation: view.getUint16(30, true),
    flags: view.getUint32(32, true),
    buffer: view.getUint32(36, true),
    forwarded: view.getUint32(40, true),
  };
}

/** The header with another length, for a part of its data. */
export function withLength(header: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(VSOCK_HEADER_BYTES);
  copy.set(header.subarray(0, VSOCK_HEADER_BYTES));
  new DataView(copy.buffer).setUint32(24, length, true);
  return copy;
}

/** The answer to a packet that nobody wants. */
export const resetOf = (header: VsockHeader): VsockHeader => ({
  sourceCid: header.destinationCid,
  destinationCid: header.sourceCid,
  sourcePort: header.destinationPort,
  destinationPort: header.sourcePort,
  length: 0,
  type: header.type,
  operation: Operation.reset,
  flags: 0,
  buffer: 0,
  forwarded: 0,
});
