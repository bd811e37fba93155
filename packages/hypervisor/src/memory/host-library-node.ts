/**
 * Functions of the host's C library, through Node's own foreign functions. They are never needed, only of use: there are none
 * where Node has no such thing or does not allow it, and outside Linux.
 */
import type * as Ffi from "node:ffi";

type Signature = Parameters<typeof Ffi.dlopen>[1] extends Record<string, infer S> | undefined ? S : never;

/** Node's module, or undefined. */
export const ffi: typeof Ffi | undefined =
  process.platform === "linux" ? withoutWarning(() => process.getBuiltinModule("node:ffi")) : undefined;

/** A function of the C library, or undefined. Pointers and 64-bit integers are `bigint`. */
export function hostFunction(
  name: string,
  signature: Signature,
): ((...operands: (number | bigint)[]) => number) | undefined {
  try {
    const found = ffi?.dlopen(null, { [name]: signature }).functions[name];
    return found as ((...operands: (number | bigint)[]) => number) | undefined;
  } catch {
    // Not allowed to this process (--permission without --allow-ffi), or a C library without this function.
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
