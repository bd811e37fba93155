/** Why a machine cannot be started with what the user gave. Who catches it: the command line, which shows the sentence. */

export type BootErrorCode =
  | "not-an-image"
  | "compressed-image"
  | "not-firmware"
  | "not-riscv"
  | "truncated"
  | "out-of-place"
  | "memory-too-small"
  | "initrd-too-large"
  | "command-line-too-long";

export class BootError extends Error {
  readonly code: BootErrorCode;

  constructor(code: BootErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BootError";
    this.code = code;
  }
}

/** A size for people: whole MiB, rounded up, or KiB below one. */
export const sizeText = (bytes: number): string =>
  bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${Math.ceil(bytes / (1024 * 1024))} MiB`;
