/** System reset extension: shutdown and reboot. @spec sbi "System Reset Extension" */
import type { SbiExtension } from "./extension.ts";
import { failure, SbiError } from "./result.ts";

/** Reset types in order: shutdown, cold reboot, warm reboot. A guest cannot tell the two reboots apart. */
const types = ["shutdown", "reboot", "reboot"] as const;
/** Reset reasons in order: none, system failure. */
const REASONS = 2;

export const srst: SbiExtension = {
  id: 0x5352_5354,
  name: "SRST",
  functions: [
    (host, call) => {
      const type = types[Number(BigInt.asUintN(32, call.arguments[0]))];
      const reason = Number(BigInt.asUintN(32, call.arguments[1]));
      if (type === undefined || reason >= REASONS) return failure(SbiError.invalidParameter);
      host.reset({ type, failed: reason === 1 });
      return "left";
    },
  ],
};
