/**
 * Gives pages of a guest's memory back to the host: `madvise` with MADV_DONTNEED, through Node's own foreign functions. A
 * WebAssembly.Memory never shrinks, and nothing in JavaScript frees its pages. Where Node has no such thing, or does not
 * allow it, or the host is not Linux, memory that was touched once stays with the process. See docs/decisions/0010.
 */
import type { GuestMemory } from "@bulkhead/machine";
import { ffi, hostFunction } from "./host-library-node.ts";

const MADV_DONTNEED = 4;

/** The means to discard bytes of this memory's RAM, or undefined where there are none. */
export function memoryReturn(memory: GuestMemory): ((bytes: Uint8Array) => void) | undefined {
  const advise = hostFunction("madvise", { arguments: ["pointer", "uint64", "int32"], return: "int32" });
  const pageBytes = hostFunction("getpagesize", { arguments: [], return: "int32" })?.();
  if (ffi === undefined || advise === undefined || pageBytes === undefined) return undefined;
  const base = ffi.getRawPointer(memory.bytes);
  return ({ byteOffset, length }) => {
    // Pages of the host, which may be larger than the guest's: only whole ones.
    const start = Math.ceil(byteOffset / pageBytes) * pageBytes;
    const end = Math.floor((byteOffset + length) / pageBytes) * pageBytes;
    if (start < end) advise(base + BigInt(start), BigInt(end - start), MADV_DONTNEED);
  };
}
