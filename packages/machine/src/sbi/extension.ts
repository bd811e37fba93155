/** How an SBI extension is declared: its id and a handler for each function number. */
import type { SbiCall, SbiHost } from "./host.ts";
import type { SbiResult } from "./result.ts";

/** Answers one function. Total: whatever the registers hold, it gives a result and never throws. */
export type SbiFunction = (host: SbiHost, call: SbiCall) => SbiResult;

export interface SbiExtension {
  /** EID, the value of `a7`. */
  readonly id: number;
  readonly name: string;
  /** Handlers by FID, the value of `a6`. Legacy extensions ignore `a6` and have one handler. */
  readonly functions: readonly SbiFunction[];
  readonly legacy?: true;
}
