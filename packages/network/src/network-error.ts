/** What a user or the host did wrong with the network: each code, and the error that carries it upwards. */

export const networkErrorCodes = [
  "port-in-use",
  "port-forbidden",
  "address-unavailable",
  "uplink-missing",
  "uplink-failed",
  "capture-failed",
  "network-setting-invalid",
] as const;

export type NetworkErrorCode = (typeof networkErrorCodes)[number];

export class NetworkError extends Error {
  readonly code: NetworkErrorCode;

  /** @param message one or two sentences: what was expected, what was found, what to do. */
  constructor(code: NetworkErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "NetworkError";
    this.code = code;
  }
}
