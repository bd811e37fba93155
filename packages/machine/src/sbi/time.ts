/** Timer extension: the supervisor's next timer interrupt. @spec sbi "Timer Extension" */
import type { SbiExtension } from "./extension.ts";
import { FirmwareEvent } from "./firmware-events.ts";
import type { SbiHost } from "./host.ts";
import { success } from "./result.ts";

/** Sstc's compare register: STIP is pending while `time` is at or past it, so writing it also clears the bit. */
const STIMECMP = 0x14d;

/** Programs the calling hart's timer, in ticks of the timebase. */
export function setTimer(host: SbiHost, hart: number, deadline: bigint): void {
  host.harts[hart].writeCsr(STIMECMP, deadline);
  host.events.count(hart, FirmwareEvent.setTimer);
}

export const time: SbiExtension = {
  id: 0x5449_4d45,
  name: "TIME",
  functions: [
    (host, call) => {
      setTimer(host, call.hart, call.arguments[0]);
      return success();
    },
  ],
};
