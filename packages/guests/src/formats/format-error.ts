// What the readers of this folder throw on bytes that are not what they should be.

/** The bytes do not follow their format; the message says what was expected and what was found. */
export class FormatError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "FormatError";
  }
}
