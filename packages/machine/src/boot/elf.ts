/** Loads 64-bit RISC-V ELF files: firmware, boot loaders, bare-metal programs. @spec System V ABI "Object Files" */
import { type GuestMemory, RAM_BASE } from "../memory.ts";
import { BootError, sizeText } from "./boot-error.ts";

const MAGIC = 0x7f45_4c46;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const TYPE_EXECUTABLE = 2;
const TYPE_SHARED = 3;
const MACHINE_RISCV = 243;
const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;
const SEGMENT_LOAD = 1;

interface Segment {
  readonly offset: bigint;
  readonly virtual: bigint;
  readonly physical: bigint;
  readonly fileSize: bigint;
  readonly memorySize: bigint;
}

/** Physical addresses: where to begin, and what the file occupies. */
export interface LoadedProgram {
  readonly entry: number;
  readonly start: number;
  /** First byte behind it. */
  readonly end: number;
}

export const isElf = (file: Uint8Array): boolean =>
  file.length >= 4 && new DataView(file.buffer, file.byteOffset, file.length).getUint32(0) === MAGIC;

/**
 * Copies an ELF file's segments to their physical addresses and clears what the file leaves out. A
 * position-independent file that is not linked for RAM goes to the start of RAM.
 * @param what names the file in errors, for example "firmware". @throws BootError `not-riscv`, `truncated`,
 * `out-of-place` (linked for addresses that are not RAM) or `memory-too-small`.
 */
export function loadElf(memory: GuestMemory, file: Uint8Array, what: string): LoadedProgram {
  const header = readHeader(file, what);
  const segments = readSegments(file, header, what);
  const low = segments.reduce((least, s) => (s.physical < least ? s.physical : least), segments[0].physical);
  const high = segments.reduce((most, s) => {
    const end = s.physical + s.memorySize;
    return end > most ? end : most;
  }, 0n);
  const movable = header.type === TYPE_SHARED && low < BigInt(RAM_BASE);
  const bias = movable ? BigInt(RAM_BASE) - low : 0n;
  checkPlace(memory, low + bias, high + bias, what);
  for (const segment of segments) copySegment(memory, file, segment, bias);
  const home = segments.find((s) => header.entry >= s.virtual && header.entry < s.virtual + s.memorySize);
  if (home === undefined) throw new BootError("truncated", `the ${what}'s entry point lies in none of its segments`);
  const entry = header.entry - home.virtual + home.physical + bias;
  return { entry: Number(entry), start: Number(low + bias), end: Number(high + bias) };
}

interface ElfHeader {
  readonly type: number;
  readonly entry: bigint;
  readonly segmentsAt: bigint;
  readonly segments: number;
}

function readHeader(file: Uint8Array, what: string): ElfHeader {
  if (file.length < HEADER_BYTES) throw new BootError("truncated", `the ${what} ends within its ELF header`);
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  if (view.getUint16(18, true) !== MACHINE_RISCV || file[4] !== CLASS_64 || file[5] !== LITTLE_ENDIAN) {
    throw new BootError("not-riscv", `the ${what} is an ELF file for another processor than 64-bit RISC-V`);
  }
  const type = view.getUint16(16, true);
  if (type !== TYPE_EXECUTABLE && type !== TYPE_SHARED) {
    throw new BootError("not-firmware", `the ${what} is an ELF file that cannot be executed`);
  }
  if (view.getUint16(54, true) !== SEGMENT_BYTES) {
    throw new BootError("truncated", `the ${what}'s program headers have an unknown size`);
  }
  return {
    type,
    entry: view.getBigUint64(24, true),
    segmentsAt: view.getBigUint64(32, true),
    segments: view.getUint16(56, true),
  };
}

function readSegments(file: Uint8Array, header: ElfHeader, what: string): Segment[] {
  const length = BigInt(file.length);
  if (header.segmentsAt + BigInt(header.segments * SEGMENT_BYTES) > length) {
    throw new BootError("truncated", `the ${what} ends within its program headers`);
  }
  const start = Number(header.segmentsAt);
  const view = new DataView(file.buffer, file.byteOffset + start, header.segments * SEGMENT_BYTES);
  const segments: Segment[] = [];
  for (let at = 0; at < view.byteLength; at += SEGMENT_BYTES) {
    const field = (offset: number) => view.getBigUint64(at + offset, true);
    const segment = {
      offset: field(8),
      virtual: field(16),
      physical: field(24),
      fileSize: field(32),
      memorySize: field(40),
    };
    if (view.getUint32(at, true) !== SEGMENT_LOAD || segment.memorySize === 0n) continue;
    if (segment.fileSize > segment.memorySize || segment.offset + segment.fileSize > length) {
      throw new BootError("truncated", `the ${what} ends within one of its segments`);
    }
    segments.push(segment);
  }
  if (segments.length === 0) throw new BootError("truncated", `the ${what} has no segments to load`);
  return segments;
}

function checkPlace(memory: GuestMemory, low: bigint, high: bigint, what: string): void {
  const base = BigInt(RAM_BASE);
  // Twice the largest RAM: beyond that, more memory would not help.
  if (low < base || high > base + (1n << 33n)) {
    throw new BootError("out-of-place", `the ${what} is linked for 0x${low.toString(16)}, where there is no memory`);
  }
  if (high > base + BigInt(memory.ramSize)) {
    const needed = sizeText(Number(high - base));
    throw new BootError("memory-too-small", `the ${what} needs ${needed} of memory, not ${sizeText(memory.ramSize)}`);
  }
}

function copySegment(memory: GuestMemory, file: Uint8Array, segment: Segment, bias: bigint): void {
  const target = memory.writable(Number(segment.physical + bias), Number(segment.memorySize))!;
  const from = Number(segment.offset);
  const length = Number(segment.fileSize);
  target.set(file.subarray(from, from + length));
  target.fill(0, length);
}
