/**
 * Gives pages of a guest's memory back to the host: `madvise` with MADV_DONTNEED, through Node's own foreign functions. A
 * WebAssembly.Memory never shrinks, and nothing in JavaScript frees its pages. Where Node has no such thing, or does not
 * allow it, or the host is not Linux, memory that was touched once stays with the process. See docs/decisions/0010.
 */
import type * as Ffi from "node:ffi";
import type { GuestMemory } from "@bulkhead/machine";

const MADV_DONTNEED = 4;

/** The means to discard bytes of this memory's RAM, or undefined where there are none. */
export function memoryReturn(memory: GuestMemory): ((bytes: Uint8Array) => void) | undefined {
  const host = hostMemory();
  if (host === undefined) return undefined;
  const { ffi, adviseDontNeed, pageBytes } = host;
  const base = ffi.getRawPointer(memory.bytes);
  return ({ byteOffset, length }) => {
    // Pages of the host, which may be larger than the guest's: only whole ones.
    const start = Math.ceil(byteOffset / pageBytes) * pageBytes;
    const end = Math.floor((byteOffset + length) / pageBytes) * pageBytes;
    if (start < end) adviseDontNeed(base + BigInt(start), BigInt(end - start));
  };
}

interface HostMemory {
  readonly ffi: typeof Ffi;
  readonly adviseDontNeed: (address: bigint, bytes: bigint) => void;
  readonly pageBytes: number;
}

let found: HostMemory | undefined | "unknown" = "unknown";

function hostMemory(): HostMemory | undefined {
  if (found === "unknown") found = findHostMemory();
  return found;
}

function findHostMemory(): HostMemory | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const ffi = withoutWarning(() => process.getBuiltinModule("node:ffi"));
    if (ffi === undefined) return undefined;
    const { functions } = ffi.dlopen(null, {
      madvise: { arguments: ["pointer", "uint64", "int32"], return: "int32" },
      getpagesize: { arguments: [], return: "int32" },
    });
    const adviseDontNeed = (address: bigint, bytes: bigint): void => {
      functions.madvise(address, bytes, MADV_DONTNEED);
    };
    return { ffi, adviseDontNeed, pageBytes: functions.getpagesize() };
  } catch {
    // Not allowed to this process (--permission without --allow-ffi), or a C library without these functions.
    return undefined;
  }
}

/** Node warns of experimental modules on standard error, which is the user's. */
function withoutWarning<T>(work: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return work();
  } finally {
    process.emitWarning = emitWarning;
  }
}
