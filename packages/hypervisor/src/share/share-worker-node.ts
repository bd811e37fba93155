/** The thread of a shared folder: opens it, says so, and serves it until the partition closes it. */
import { parentPort, workerData } from "node:worker_threads";
import { FuseSession, serveShare } from "@bulkhead/devices";
import { Doorbell } from "../channel/doorbell.ts";
import { postError } from "../host-error.ts";
import { openFolder } from "./open-share-node.ts";
import type { ShareServerWiring, ShareThreadMessage } from "./share-wiring.ts";

const { share, memoryMiB, memory, doorbell } = workerData as ShareServerWiring;
const tell = (message: ShareThreadMessage): void => parentPort?.postMessage(message);

try {
  const folder = openFolder(share, memoryMiB);
  const bell = new Doorbell(doorbell);
  tell({ kind: "opened" });
  serveShare(memory, new FuseSession(folder, share.cache), () => bell.ring());
  folder.close();
} catch (error) {
  tell({ kind: "failed", error: postError(error) });
}
