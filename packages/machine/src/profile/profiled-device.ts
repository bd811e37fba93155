/** A device on the bus whose accesses count as device work of the hart that makes them. */
import type { MmioDevice } from "../bus.ts";
import { Activity, type ActivityWord } from "./activity.ts";

/** @param running the word of the hart that runs on this thread now. */
export const profiledDevice = (device: MmioDevice, running: () => ActivityWord): MmioDevice => ({
  read: (offset, bytes) => running().during(Activity.device, () => device.read(offset, bytes)),
  write: (offset, bytes, value) => running().during(Activity.device, () => device.write(offset, bytes, value)),
});
