// The one error type of this package: what a user or a host did, never what a guest did.
// Every failure has a code (declared here once), a sentence and its cause.

/** Each code with the general meaning a command line can print for it. */
export const imageErrorCodes = {
  "archive-invalid": "the archive's index cannot be understood",
  "build-failed": "the guest that builds the image did not finish",
  "cache-unwritable": "the cache directory cannot be written",
  "checksum-mismatch": "a file differs from what the signed index promises",
  "dependency-unsatisfied": "a package needs another that the archive does not have",
  "disk-full": "there is no space left for the cache",
  "download-stalled": "the mirror stopped sending",
  "image-missing": "the image has not been built",
  "image-unknown": "there is no image of that name",
  "image-name-invalid": "the name cannot name an image",
  interrupted: "the build was interrupted",
  "keyring-missing": "there is no key to verify the archive with",
  "mirror-missing": "no package mirror is configured",
  "mirror-status": "the mirror refused a request",
  "no-network": "the mirror cannot be reached",
  "package-corrupt": "a package cannot be unpacked",
  "package-missing": "the archive has no such package",
  "signature-invalid": "the archive's index is not signed by a trusted key",
} as const;

export type ImageErrorCode = keyof typeof imageErrorCodes;

/** A failure to find, fetch or build an image. `log` holds the builder guest's console when there was one. */
export class ImageError extends Error {
  readonly code: ImageErrorCode;
  readonly log: string | undefined;

  constructor(code: ImageErrorCode, sentence: string, options: { cause?: unknown; log?: string } = {}) {
    super(sentence, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ImageError";
    this.code = code;
    this.log = options.log;
  }
}

/** The errno-style code of a system error, looking through causes. */
export function systemCode(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    const { code } = at as { code?: unknown };
    if (typeof code === "string") return code;
  }
  return undefined;
}

const CACHE_CODES: Readonly<Record<string, ImageErrorCode>> = {
  ENOSPC: "disk-full",
  EDQUOT: "disk-full",
  EFBIG: "disk-full",
  EACCES: "cache-unwritable",
  EPERM: "cache-unwritable",
  EROFS: "cache-unwritable",
  ENOTDIR: "cache-unwritable",
  EEXIST: "cache-unwritable",
};

/** Turns a file-system failure under `doing` into an ImageError; any other error is returned as it is. */
export function asImageError(error: unknown, doing: string): unknown {
  if (error instanceof ImageError) return error;
  if (error instanceof Error && error.name === "AbortError") {
    return new ImageError("interrupted", `${doing}: interrupted`, { cause: error });
  }
  const system = systemCode(error);
  const code = system === undefined ? undefined : CACHE_CODES[system];
  if (code === undefined) return error;
  const said = error instanceof Error ? error.message : String(error);
  return new ImageError(code, `${doing}: ${imageErrorCodes[code]} (${said})`, { cause: error });
}
