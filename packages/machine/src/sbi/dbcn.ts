/** Debug console extension: bytes to and from the serial console. @spec sbi "Debug Console Extension" */
import type { SbiExtension } from "./extension.ts";
import type { SbiCall, SbiHost } from "./host.ts";
import { failure, SbiError, success } from "./result.ts";

/** Most bytes moved by one call: bounds the time a call takes. The caller sees a partial write or read. */
const MAX_BYTES = 64 * 1024;

interface Range {
  readonly address: number;
  /** Bytes to move: the range's length, capped. */
  readonly length: number;
}

/** The physical range that a call names, or undefined if it is not all RAM. */
function rangeOf(host: SbiHost, call: SbiCall): Range | undefined {
  const [length, low, high] = call.arguments;
  const limit = BigInt(Number.MAX_SAFE_INTEGER);
  if (high !== 0n || length > limit || low > limit) return undefined;
  if (host.memory.placeOf(Number(low), Number(length)) < 0) return undefined;
  return { address: Number(low), length: Math.min(Number(length), MAX_BYTES) };
}

export const dbcn: SbiExtension = {
  id: 0x4442_434e,
  name: "DBCN",
  functions: [
    (host, call) => {
      const range = rangeOf(host, call);
      if (range === undefined) return failure(SbiError.invalidParameter);
      // A copy: the console may keep the bytes, and the guest's memory is shared.
      const bytes = host.memory.readable(range.address, range.length)!.slice();
      return success(BigInt(host.console.write(bytes)));
    },
    (host, call) => {
      const range = rangeOf(host, call);
      if (range === undefined) return failure(SbiError.invalidParameter);
      const bytes = host.console.read(range.length);
      host.memory.writable(range.address, bytes.length)!.set(bytes);
      return success(BigInt(bytes.length));
    },
    (host, call) => {
      const byte = Number(BigInt.asUintN(8, call.arguments[0]));
      return host.console.write(Uint8Array.of(byte)) === 1 ? success() : failure(SbiError.failed);
    },
  ],
};
