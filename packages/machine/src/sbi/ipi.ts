/** IPI extension: supervisor software interrupts to other harts. @spec sbi "IPI Extension" */
import type { SbiExtension } from "./extension.ts";
import { FirmwareEvent } from "./firmware-events.ts";
import { hartsOf } from "./hart-mask.ts";
import { HartStatus } from "./hart-states.ts";
import type { SbiHost } from "./host.ts";
import { failure, SbiError, success } from "./result.ts";

/** The supervisor software interrupt's bit in `mip`. */
export const SSIP = 1;

/** Makes SSIP pending in each hart that is not stopped. */
export function sendIpi(host: SbiHost, from: number, harts: readonly number[]): void {
  for (const hart of harts) {
    if (host.states.status(hart) === HartStatus.stopped) continue;
    host.harts[hart].setPending(SSIP, true);
    host.events.count(from, FirmwareEvent.ipiSent);
    host.events.count(hart, FirmwareEvent.ipiReceived);
  }
}

export const ipi: SbiExtension = {
  id: 0x73_5049,
  name: "sPI",
  functions: [
    (host, call) => {
      const [mask, base] = call.arguments;
      const harts = hartsOf(mask, base, host.states.count);
      if (harts === undefined) return failure(SbiError.invalidParameter);
      sendIpi(host, call.hart, harts);
      return success();
    },
  ],
};
