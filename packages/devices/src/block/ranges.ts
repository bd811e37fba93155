/** Discard and write-zeroes requests: lists of sector ranges. @spec virtio "Block Device" "Device Operation" */
import type { Chain } from "../chain.ts";
import { type BlockBackend, SECTOR_BYTES } from "./backend.ts";
import { MAX_RANGE_SECTORS, MAX_RANGES } from "./config.ts";
import { BlockStatus } from "./status.ts";

const RANGE_BYTES = 16;
const UNMAP = 1;
const ZEROS = new Uint8Array(64 * 1024);

/** Bytes of a disk. */
interface Range {
  readonly offset: number;
  readonly length: number;
  /** The space may be given back. */
  readonly unmap: boolean;
}

/** Performs the request whose ranges are the rest of the chain. All are checked before any is touched. */
export function eraseRanges(backend: BlockBackend, chain: Chain, kind: "discard" | "writeZeroes"): number {
  if (backend.readOnly) return BlockStatus.ioError;
  if (chain.readable === 0 || chain.readable % RANGE_BYTES !== 0) return BlockStatus.ioError;
  if (chain.readable > MAX_RANGES * RANGE_BYTES) return BlockStatus.ioError;
  const ranges = parseRanges(backend, chain, kind === "discard" ? 0 : UNMAP);
  if (typeof ranges === "number") return ranges;
  for (const { offset, length, unmap } of ranges) {
    if (kind === "discard") backend.discard?.(offset, length);
    else writeZeroes(backend, offset, length, unmap);
  }
  return BlockStatus.ok;
}

/** The ranges, or the status that says what is wrong with them: unknown flags, or sectors beyond the disk. */
function parseRanges(backend: BlockBackend, chain: Chain, allowedFlags: number): Range[] | number {
  const view = new DataView(chain.read(chain.readable).buffer);
  const ranges: Range[] = [];
  for (let at = 0; at < view.byteLength; at += RANGE_BYTES) {
    const sector = view.getBigUint64(at, true);
    const sectors = view.getUint32(at + 8, true);
    const flags = view.getUint32(at + 12, true);
    if ((flags & ~allowedFlags) !== 0) return BlockStatus.unsupported;
    if (sectors > MAX_RANGE_SECTORS) return BlockStatus.ioError;
    if (sector + BigInt(sectors) > BigInt(backend.size / SECTOR_BYTES)) return BlockStatus.ioError;
    ranges.push({ offset: Number(sector) * SECTOR_BYTES, length: sectors * SECTOR_BYTES, unmap: flags !== 0 });
  }
  return ranges;
}

function writeZeroes(backend: BlockBackend, offset: number, length: number, unmap: boolean): void {
  if (backend.writeZeroes !== undefined) {
    backend.writeZeroes(offset, length, unmap);
    return;
  }
  for (let done = 0; done < length; done += ZEROS.length) {
    backend.write(offset + done, ZEROS.subarray(0, Math.min(ZEROS.length, length - done)));
  }
}
