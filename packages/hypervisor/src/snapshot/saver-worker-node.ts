/** The thread that saves one snapshot: started before its machine is held, so that nothing of its start counts as a pause. */
import { parentPort, workerData } from "node:worker_threads";
import { HostError, type PostedError, postError } from "../host-error.ts";
import { type Saved, type SaveOrder, save } from "./save-node.ts";
import type { HeldMachine } from "./saved-machine.ts";

export type SaverMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "saved"; readonly saved: Saved }
  | { readonly kind: "failed"; readonly error: PostedError };

const order = workerData as SaveOrder;
const tell = (message: SaverMessage): void => parentPort?.postMessage(message);

function failure(error: unknown): unknown {
  if (error instanceof HostError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  const why = code === "ENOSPC" || code === "EDQUOT" ? "the host's disk is full" : message;
  return new HostError("snapshot-failed", `snapshot ${order.path}: ${why}`, { cause: error });
}

parentPort?.once("message", async (held: HeldMachine) => {
  try {
    tell({ kind: "saved", saved: await save(order, held) });
  } catch (error) {
    tell({ kind: "failed", error: postError(failure(error)) });
  }
});
tell({ kind: "ready" });
