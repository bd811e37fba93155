/** What a user or the host did wrong, in one declaration: each code, and the error that carries it upwards. */

/** Each way in which a partition fails to start or to run. The CLI gives each an exit code. */
export const hostErrorCodes = [
  "file-missing",
  "file-unreadable",
  "disk-read-only",
  "disk-truncated",
  "disk-format",
  "disk-corrupt",
  "disk-unreachable",
  "disk-in-use",
  "kernel-format",
  "initrd-too-large",
  "memory-too-small",
  "memory-unavailable",
  "setting-invalid",
  "snapshot-corrupt",
  "snapshot-foreign",
  "snapshot-mismatch",
  "snapshot-failed",
  "guest-panic",
  "guest-stuck",
  "partition-failed",
] as const;

export type HostErrorCode = (typeof hostErrorCodes)[number];

export class HostError extends Error {
  readonly code: HostErrorCode;

  /** @param message one or two sentences: what was expected, what was found, what to do. */
  constructor(code: HostErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "HostError";
    this.code = code;
  }
}

/** A `HostError` as plain data, for a message from one thread to another. */
export interface PostedError {
  readonly code: HostErrorCode;
  readonly message: string;
  readonly stack: string;
}

/** What escaped from a thread, as plain data. Anything but a `HostError` is a broken invariant: `partition-failed`. */
export function postError(error: unknown): PostedError {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (error instanceof HostError) return { code: error.code, message: error.message, stack };
  const message = error instanceof Error ? error.message : String(error);
  return { code: "partition-failed", message: `the machine broke down: ${message}`, stack };
}

/** The error on the receiving side; its cause shows where it was thrown. */
export const receiveError = (posted: PostedError): HostError =>
  new HostError(posted.code, posted.message, { cause: posted.stack });
