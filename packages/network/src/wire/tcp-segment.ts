/** Segments of TCP. @spec RFC 9293 "Header Format"; RFC 7323 "TCP Window Scale Option" */

export const TcpFlag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

export const TCP_BYTES = 20;
const Option = { end: 0, nop: 1, mss: 2, scale: 3 } as const;
/** Larger shifts mean this one. @spec RFC 7323 "Using the Window Scale Option" */
const MOST_SCALE = 14;

export interface TcpSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: number;
  /** As it stands in the header, not scaled. */
  readonly window: number;
  readonly mss?: number;
  readonly scale?: number;
  readonly payload: Uint8Array;
}

/** The segment in the payload of a packet, its own payload a view, or undefined where it is malformed. */
export function parseTcp(bytes: Uint8Array): TcpSegment | undefined {
  if (bytes.length < TCP_BYTES) return undefined;
  const headerBytes = (bytes[12] >> 4) * 4;
  if (headerBytes < TCP_BYTES || headerBytes > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, TCP_BYTES);
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    sequence: view.getUint32(4),
    acknowledgement: view.getUint32(8),
    flags: bytes[13] & 0x3f,
    window: view.getUint16(14),
    ...(headerBytes > TCP_BYTES ? parseOptions(bytes.subarray(TCP_BYTES, headerBytes)) : {}),
    payload: bytes.subarray(headerBytes),
  };
}

function parseOptions(bytes: Uint8Array): { mss?: number; scale?: number } {
  const found: { mss?: number; scale?: number } = {};
  for (let at = 0; at < bytes.length && bytes[at] !== Option.end; ) {
    if (bytes[at] === Option.nop) {
      at++;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    if (length < 2 || at + length > bytes.length) break;
    if (bytes[at] === Option.mss && length === 4) found.mss = (bytes[at + 2] << 8) | bytes[at + 3];
    if (bytes[at] === Option.scale && length === 3) found.scale = Math.min(bytes[at + 2], MOST_SCALE);
    at += length;
  }
  return found;
}

export type TcpHeader = Omit<TcpSegment, "payload">;

const optionBytes = ({ mss, scale }: TcpHeader): number => (mss === undefined ? 0 : 4) + (scale === undefined ? 0 : 4);

/** Bytes that `writeTcp` will write. */
export const tcpHeaderBytes = (header: TcpHeader): number => TCP_BYTES + optionBytes(header);

/** Writes a header at a place in a frame; its checksum is left 0. */
export function writeTcp(bytes: Uint8Array<ArrayBuffer>, at: number, header: TcpHeader): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  view.setUint16(0, header.sourcePort);
  view.setUint16(2, header.destinationPort);
  view.setUint32(4, header.sequence);
  view.setUint32(8, header.acknowledgement);
  view.setUint8(12, (tcpHeaderBytes(header) / 4) << 4);
  view.setUint8(13, header.flags);
  view.setUint16(14, header.window);
  view.setUint32(16, 0);
  let option = TCP_BYTES;
  if (header.mss !== undefined) {
    view.setUint32(option, (Option.mss << 24) | (4 << 16) | header.mss);
    option += 4;
  }
  if (header.scale !== undefined) {
    view.setUint32(option, (Option.nop << 24) | (Option.scale << 16) | (3 << 8) | header.scale);
  }
}
