/** What is wrong with a disk, in the codes of the host. */
import { DiskError, type DiskErrorCode } from "@bulkhead/devices";
import { HostError, type HostErrorCode } from "../host-error.ts";

const codes: Record<DiskErrorCode, HostErrorCode> = {
  "disk-missing": "file-missing",
  "disk-unreadable": "file-unreadable",
  "disk-read-only": "disk-read-only",
  "disk-truncated": "disk-truncated",
  "disk-format": "disk-format",
  "disk-corrupt": "disk-corrupt",
  "disk-failed": "partition-failed",
  "disk-unreachable": "disk-unreachable",
};

/** An error of a disk as a `HostError`; any other as it is. */
export const diskFailure = (error: unknown): unknown =>
  error instanceof DiskError ? new HostError(codes[error.code], error.message, { cause: error }) : error;

/** Does something with disks; what is wrong with them is a `HostError`. */
export function withDisks<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw diskFailure(error);
  }
}
