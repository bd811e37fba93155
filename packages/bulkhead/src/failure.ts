/**
 * Turns whatever was thrown into an exit code and one or two lines for stderr. Errors of the packages below carry a
 * `code`; one that is in no table is a defect and says so. `BULKHEAD_DEBUG=1` adds stack traces and causes.
 */
import { inspect } from "node:util";
import { type FailureCode, failures } from "./exit-codes.ts";

/** An error of the CLI's own. @param message what was expected, what was found, what to do. */
export class CliError extends Error {
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "CliError";
    this.code = code;
  }
}

/** Codes of the packages below that are more exact than the exit code they share with others. */
const aliases: Record<string, FailureCode> = {
  "setting-invalid": "usage",
  "partition-failed": "internal",
  "disk-corrupt": "disk-format",
  "image-name-invalid": "usage",
  "mirror-missing": "network",
  "mirror-status": "network",
  "no-network": "network",
  "download-stalled": "network",
  "signature-invalid": "signature",
  "keyring-missing": "signature",
  "checksum-mismatch": "checksum",
  "package-corrupt": "checksum",
  "archive-invalid": "build-failed",
  "package-missing": "build-failed",
  "dependency-unsatisfied": "build-failed",
  "port-forbidden": "port-in-use",
  "address-unavailable": "port-in-use",
  "uplink-missing": "uplink-failed",
  "capture-failed": "file-unwritable",
  "network-setting-invalid": "usage",
  interrupted: "killed",
  ENOSPC: "disk-full",
  EDQUOT: "disk-full",
  ENOENT: "file-missing",
  EACCES: "file-unreadable",
  EPERM: "file-unreadable",
};

/** The first code along an error's chain of causes that has an exit code. */
export function failureCode(error: unknown): FailureCode {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    const code = (at as { code?: unknown }).code;
    if (typeof code !== "string") continue;
    if (Object.hasOwn(failures, code)) return code as FailureCode;
    if (Object.hasOwn(aliases, code)) return aliases[code];
  }
  return "internal";
}

/** What goes to stderr, newline included. */
export function describeFailure(error: unknown, debug: boolean): string {
  const message = error instanceof Error ? error.message : String(error);
  const lines = message.split("\n").filter((line) => line.trim() !== "");
  const hint = failureCode(error) === "internal" && !debug ? ["This is a defect; BULKHEAD_DEBUG=1 shows where."] : [];
  const detail = debug ? [inspect(error)] : [];
  return `${[`bulkhead: ${lines[0] ?? "failed without a message"}`, ...lines.slice(1), ...hint, ...detail].join("\n")}\n`;
}
