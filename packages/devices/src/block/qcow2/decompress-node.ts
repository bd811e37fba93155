/** Expands compressed clusters with Node's zlib. */
import { inflateRawSync, zstdDecompressSync } from "node:zlib";
import type { Decompress } from "./compressed.ts";
import { zstdFrameBytes } from "./zstd-frame.ts";

/** qcow2's deflate streams have a window of 4 KiB and no header. */
const WINDOW_BITS = 12;

export const decompress: Decompress = (kind, stream, most) =>
  kind === "zstd"
    ? zstdDecompressSync(stream.subarray(0, zstdFrameBytes(stream)), { maxOutputLength: most })
    : inflateRawSync(stream, { windowBits: WINDOW_BITS, maxOutputLength: most });
