/** What an SBI call returns. @spec sbi "Binary Encoding" */

export const SbiError = {
  success: 0n,
  failed: -1n,
  notSupported: -2n,
  invalidParameter: -3n,
  denied: -4n,
  invalidAddress: -5n,
  alreadyAvailable: -6n,
  alreadyStarted: -7n,
  alreadyStopped: -8n,
  noSharedMemory: -9n,
} as const;

/**
 * `error` goes to `a0` and `value` to `a1`; a legacy call has no `value` and leaves `a1` alone. `left` is a call that does
 * not return: the hart stopped, the machine went down, or a fault is to be taken at the ECALL.
 */
export type SbiResult = { readonly error: bigint; readonly value?: bigint } | "left";

export const success = (value = 0n): SbiResult => ({ error: SbiError.success, value });
export const failure = (error: bigint): SbiResult => ({ error, value: 0n });
