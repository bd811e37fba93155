/**
 * Does in software what a frame's sender left undone and its receiver cannot do: fills in checksums and cuts large
 * segments of TCP. Who calls it: the switch, before it hands a frame to a port.
 */
import { type Abilities, canTake, ETHERNET_BYTES, type Frame, frameBytes, frameOf, Segmentation } from "./frame.ts";
import { checksum, fold, pseudoHeaderSum } from "./wire/checksum.ts";
import { EtherType, typeOf, vlanOf } from "./wire/ethernet.ts";
import { IP4_BYTES, IP6_BYTES, Protocol } from "./wire/ip.ts";
import { TCP_BYTES, TcpFlag } from "./wire/tcp-segment.ts";

/** Where the checksum stands in a header of UDP; nowhere else is it there. */
const UDP_CHECKSUM = 6;
/** Most segments that one frame is cut into: a guest must not make megabytes out of 64 KiB. */
const MOST_SEGMENTS = 256;

/** The frames that a receiver with these abilities gets instead; none where the frame does not hold together. */
export function prepare(frame: Frame, abilities: Abilities): readonly Frame[] {
  if (canTake(abilities, frame.offload)) return [frame];
  if (frame.offload.segmentation === Segmentation.none) return complete(frame);
  return cut(frame);
}

/** A copy of the frame with its checksum filled in. */
function complete(frame: Frame): readonly Frame[] {
  const { checksumStart, checksumOffset } = frame.offload;
  const at = checksumStart + checksumOffset;
  if (at + 2 > frame.length) return [];
  const bytes = frameBytes(frame).slice();
  const sum = checksum(bytes.subarray(checksumStart));
  // UDP has no checksum 0: that means none.
  const value = sum === 0 && checksumOffset === UDP_CHECKSUM ? 0xffff : sum;
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
  return [frameOf(bytes)];
}

/** Where a frame's headers are, if they are those of TCP. */
interface Layout {
  readonly ip: number;
  readonly tcp: number;
  readonly payload: number;
  readonly family: 4 | 6;
}

function layoutOf(bytes: Uint8Array): Layout | undefined {
  const shift = vlanOf(bytes) === undefined ? 0 : 4;
  const ip = ETHERNET_BYTES + shift;
  const type = typeOf(bytes.subarray(shift));
  const family = type === EtherType.ip4 ? 4 : type === EtherType.ip6 ? 6 : undefined;
  if (family === undefined || bytes.length < ip + IP4_BYTES) return undefined;
  const tcp = ip + (family === 4 ? (bytes[ip] & 0xf) * 4 : IP6_BYTES);
  const protocol = bytes[ip + (family === 4 ? 9 : 6)];
  if (protocol !== Protocol.tcp || tcp < ip + IP4_BYTES || bytes.length < tcp + TCP_BYTES) return undefined;
  const payload = tcp + (bytes[tcp + 12] >> 4) * 4;
  return payload < tcp + TCP_BYTES || payload > bytes.length ? undefined : { ip, tcp, payload, family };
}

function cut(frame: Frame): readonly Frame[] {
  const bytes = frameBytes(frame);
  const layout = layoutOf(bytes);
  const { segmentBytes } = frame.offload;
  if (layout === undefined || segmentBytes === 0) return [];
  if (bytes.length - layout.payload > segmentBytes * MOST_SEGMENTS) return [];
  const frames: Frame[] = [];
  for (let at = layout.payload, index = 0; at < bytes.length; at += segmentBytes, index++) {
    frames.push(segment(bytes, layout, at, Math.min(at + segmentBytes, bytes.length), index));
  }
  return frames;
}

/** One segment: the headers of all, with its own lengths, sequence number, flags and checksums. */
function segment(whole: Uint8Array, layout: Layout, from: number, to: number, index: number): Frame {
  const { ip, tcp, payload, family } = layout;
  const bytes = new Uint8Array(payload + to - from);
  bytes.set(whole.subarray(0, payload));
  bytes.set(whole.subarray(from, to), payload);
  const view = new DataView(bytes.buffer);
  view.setUint32(tcp + 4, (view.getUint32(tcp + 4) + from - payload) >>> 0);
  if (to < whole.length) bytes[tcp + 13] &= ~(TcpFlag.fin | TcpFlag.psh);
  if (family === 4) {
    view.setUint16(ip + 2, bytes.length - ip);
    view.setUint16(ip + 4, view.getUint16(ip + 4) + index);
    view.setUint16(ip + 10, 0);
    view.setUint16(ip + 10, checksum(bytes.subarray(ip, tcp)));
  } else view.setUint16(ip + 4, bytes.length - tcp);
  const [source, end] = family === 4 ? [ip + 12, ip + 20] : [ip + 8, ip + 40];
  const half = (end - source) / 2;
  const addresses = [bytes.subarray(source, source + half), bytes.subarray(source + half, end)] as const;
  view.setUint16(tcp + 16, 0);
  const sum = fold(pseudoHeaderSum(...addresses, Protocol.tcp, bytes.length - tcp));
  view.setUint16(tcp + 16, checksum(bytes.subarray(tcp), sum));
  return frameOf(bytes);
}
