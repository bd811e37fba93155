/** A block request as the guest makes it, checked before anything is done. @spec virtio "Block Device" "Device Operation" */
import type { Chain } from "../chain.ts";
import { SECTOR_BYTES } from "./backend.ts";
import { MAX_DISCARD_SECTORS, MAX_RANGES, MAX_ZERO_SECTORS } from "./config.ts";
import { bytesOf } from "./pieces.ts";
import { BlockStatus } from "./status.ts";

export const HEADER_BYTES = 16;
const RANGE_BYTES = 16;
const UNMAP = 1;

const RequestType = { in: 0, out: 1, flush: 4, getId: 8, discard: 11, writeZeroes: 13 } as const;

/** What a disk can be asked for. Offsets and lengths are bytes of the disk. */
export type DiskRequest =
  | { readonly kind: "read" | "write"; readonly offset: number; readonly pieces: readonly Uint8Array[] }
  | { readonly kind: "discard"; readonly offset: number; readonly length: number }
  | { readonly kind: "writeZeroes"; readonly offset: number; readonly length: number; readonly unmap: boolean }
  | { readonly kind: "flush" };

/** What decides whether a request is possible. */
export interface DiskShape {
  readonly size: number;
  readonly readOnly: boolean;
  readonly canDiscard: boolean;
}

/** Reads requests out of chains. One header is read at a time, into the same memory. */
export class RequestReader {
  readonly #header = new Uint8Array(HEADER_BYTES);
  readonly #view = new DataView(this.#header.buffer);

  /** The request of a chain that has a header and a status byte, `getId`, or the status that says what is wrong. */
  read(chain: Chain, disk: DiskShape): DiskRequest | "getId" | number {
    chain.readInto(this.#header);
    // A sector from 2^53 on loses low bits here; every disk ends far below, so it is refused all the same.
    const sector = this.#view.getUint32(12, true) * 2 ** 32 + this.#view.getUint32(8, true);
    switch (this.#view.getUint32(0, true)) {
      case RequestType.in:
        return transfer("read", chain, sector, chain.writable - 1, disk);
      case RequestType.out:
        return transfer("write", chain, sector, chain.readable, disk);
      case RequestType.flush:
        return { kind: "flush" };
      case RequestType.getId:
        return "getId";
      case RequestType.discard:
        return disk.canDiscard ? range("discard", chain, disk) : BlockStatus.unsupported;
      case RequestType.writeZeroes:
        return range("writeZeroes", chain, disk);
      default:
        return BlockStatus.unsupported;
    }
  }
}

function transfer(
  kind: "read" | "write",
  chain: Chain,
  sector: number,
  length: number,
  disk: DiskShape,
): DiskRequest | number {
  const offset = sector * SECTOR_BYTES;
  if (length % SECTOR_BYTES !== 0 || offset + length > disk.size) return BlockStatus.ioError;
  if (kind === "read") return { kind, offset, pieces: chain.writeViews(length) };
  return disk.readOnly ? BlockStatus.ioError : { kind, offset, pieces: chain.readViews(length) };
}

/** A request with its one range: unknown flags and sectors beyond the disk or the limit are refused. */
function range(kind: "discard" | "writeZeroes", chain: Chain, disk: DiskShape): DiskRequest | number {
  if (disk.readOnly || chain.readable !== RANGE_BYTES * MAX_RANGES) return BlockStatus.ioError;
  const view = new DataView(chain.read(RANGE_BYTES).buffer);
  const sectors = view.getUint32(8, true);
  const flags = view.getUint32(12, true);
  if ((flags & ~(kind === "discard" ? 0 : UNMAP)) !== 0) return BlockStatus.unsupported;
  const offset = (view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true)) * SECTOR_BYTES;
  const length = sectors * SECTOR_BYTES;
  if (sectors > (kind === "discard" ? MAX_DISCARD_SECTORS : MAX_ZERO_SECTORS)) return BlockStatus.ioError;
  if (offset + length > disk.size) return BlockStatus.ioError;
  return kind === "discard" ? { kind, offset, length } : { kind, offset, length, unmap: flags !== 0 };
}

/** Bytes of data that a request moves. */
export function requestBytes(request: DiskRequest): number {
  return request.kind === "read" || request.kind === "write" ? bytesOf(request.pieces) : 0;
}
