/** Datagrams of UDP. @spec RFC 768 */

export const UDP_BYTES = 8;

export interface Datagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** 0: none was computed. */
  readonly checksum: number;
  readonly payload: Uint8Array;
}

/** The datagram in the payload of a packet, its own payload a view, or undefined where it is malformed. */
export function parseUdp(bytes: Uint8Array): Datagram | undefined {
  if (bytes.length < UDP_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, UDP_BYTES);
  const length = view.getUint16(4);
  if (length < UDP_BYTES || length > bytes.length) return undefined;
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    checksum: view.getUint16(6),
    payload: bytes.subarray(UDP_BYTES, length),
  };
}

/** A datagram as bytes, its checksum left 0. */
export function encodeUdp(sourcePort: number, destinationPort: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(UDP_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  view.setUint16(4, bytes.length);
  bytes.set(payload, UDP_BYTES);
  return bytes;
}
