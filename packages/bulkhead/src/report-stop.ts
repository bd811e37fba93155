/** What a guest's end means for the one who started it. */
import type { Stopped } from "@bulkhead/hypervisor";
import { CliError } from "./failure.ts";

/** Lines of the console that are shown when a guest has died. */
const SHOWN_LINES = 12;

/** Exit code of a guest that ended by itself. Errors: `guest-panic`, `guest-stuck`, `killed`. */
export function reportStop({ reason, code, lastLines }: Stopped): number {
  const lines = lastLines.slice(0, SHOWN_LINES).map((line) => `  ${line}`);
  if (reason === "panic") throw new CliError("guest-panic", ["the guest's kernel panicked:", ...lines].join("\n"));
  if (reason === "stuck") {
    const what = "the guest has halted for ever: every CPU waits and no interrupt is enabled";
    throw new CliError("guest-stuck", [what, ...lines].join("\n"));
  }
  if (reason === "killed") throw new CliError("killed", "the machine was stopped");
  return Math.min(code, 255);
}
