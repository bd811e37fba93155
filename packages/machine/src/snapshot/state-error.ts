/** What is wrong with saved state. Who throws it: everything that takes state back, before it touches anything. */

export class StateError extends Error {
  readonly code: "state-corrupt" | "state-mismatch";

  constructor(code: "state-corrupt" | "state-mismatch", message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StateError";
    this.code = code;
  }
}

/** Refuses state of another version or configuration: `what` as expected and as found. */
export function expectState(kind: string, what: string, expected: unknown, found: unknown): void {
  if (expected === found) return;
  throw new StateError(
    "state-mismatch",
    `state of ${kind}: expected ${what} ${String(expected)}, found ${String(found)}`,
  );
}
