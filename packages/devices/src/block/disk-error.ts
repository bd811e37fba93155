/** What can be wrong with a disk when it is opened or used. Who shows it: the command line, by its code. */

export type DiskErrorCode =
  | "disk-missing"
  | "disk-unreadable"
  | "disk-read-only"
  | "disk-truncated"
  /** Not of the format it should be of, or with a feature of the format that is not supported. */
  | "disk-format"
  /** Of the right format, but what it says about itself is impossible. */
  | "disk-corrupt"
  /** What has been written cannot be made stable any more. */
  | "disk-failed"
  /** A server that does not answer, or refuses. */
  | "disk-unreachable";

export class DiskError extends Error {
  readonly code: DiskErrorCode;

  constructor(code: DiskErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DiskError";
    this.code = code;
  }
}
