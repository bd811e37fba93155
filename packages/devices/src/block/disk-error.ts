/** What can be wrong with a disk file when a run starts. Who shows it: the command line, by its code. */

export type DiskErrorCode = "disk-missing" | "disk-unreadable" | "disk-read-only" | "disk-truncated";

export class DiskError extends Error {
  readonly code: DiskErrorCode;

  constructor(code: DiskErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DiskError";
    this.code = code;
  }
}
