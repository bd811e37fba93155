/** The header of a Linux `Image`. @spec Linux "Boot image header in RISC-V Linux" */
import { BootError } from "./boot-error.ts";

const HEADER_BYTES = 64;
/** "RSC\x05", little-endian. */
const MAGIC2 = 0x0543_5352;
const GZIP_MAGIC = 0x8b1f;

export interface ImageHeader {
  /** Offset from the start of RAM where the image wants to lie. */
  readonly textOffset: number;
  /** Bytes that it occupies once it runs, zero-initialised data included. */
  readonly size: number;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

export const isGzip = (bytes: Uint8Array): boolean =>
  bytes.length > 2 && viewOf(bytes).getUint16(0, true) === GZIP_MAGIC;

/** Whether the bytes begin with the header of a RISC-V `Image`. */
export const isImage = (bytes: Uint8Array): boolean =>
  bytes.length >= HEADER_BYTES && viewOf(bytes).getUint32(56, true) === MAGIC2;

/** The header of a kernel `Image`. @throws BootError `not-an-image`, `compressed-image`, `not-riscv` or `truncated`. */
export function readImageHeader(image: Uint8Array): ImageHeader {
  if (isGzip(image)) throw new BootError("compressed-image", "the kernel is compressed with gzip; unpack it first");
  if (!isImage(image))
    throw new BootError("not-an-image", `the kernel is ${describe(image)}, not a RISC-V Linux Image`);
  const view = viewOf(image);
  if (view.getUint32(24, true) & 1) throw new BootError("not-riscv", "the kernel is a big-endian Image");
  const textOffset = Number(view.getBigUint64(8, true));
  const size = Number(view.getBigUint64(16, true));
  if (textOffset % 4096 !== 0 || textOffset > Number.MAX_SAFE_INTEGER || size > Number.MAX_SAFE_INTEGER) {
    throw new BootError("not-an-image", "the kernel's Image header names an impossible load offset or size");
  }
  return { textOffset, size: Math.max(size, image.length) };
}

/** What a file that is no Image seems to be, for the error. */
function describe(bytes: Uint8Array): string {
  if (bytes.length < HEADER_BYTES) return `only ${bytes.length} bytes long`;
  const view = viewOf(bytes);
  if (view.getUint32(0) === 0x7f45_4c46) return "an ELF file";
  if (view.getUint32(56, true) === 0x644d_5241) return "an Image for 64-bit ARM";
  if (view.getUint32(4, true) === 0x676d_697a) return "a compressed EFI image";
  if (view.getUint32(0x202, true) === 0x5372_6448) return "a bzImage for x86";
  if (view.getUint16(0, true) === 0x5a4d) return "an EFI application";
  return "of an unknown format";
}
