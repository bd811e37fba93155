/** The thread of a disk: opens it, tells its shape, and serves it until the partition closes it. */
import { parentPort, workerData } from "node:worker_threads";
import { DiskServer, type DiskShape, isNbdUrl, parseNbdUrl } from "@bulkhead/devices";
import { connectNbd, type NbdDisk, openNbd } from "@bulkhead/devices/node";
import { Doorbell } from "../channel/doorbell.ts";
import { HostError, postError } from "../host-error.ts";
import type { DiskDescription } from "../partition/description.ts";
import { diskFailure, withDisks } from "./disk-failure.ts";
import { openHere } from "./open-disk-node.ts";
import type { DiskThreadMessage, ServerWiring } from "./remote-wiring.ts";

/** How long a server may take to accept a connection. */
const CONNECT_MS = 10_000;

const { disk, memory, doorbell } = workerData as ServerWiring;
const tell = (message: DiskThreadMessage): void => parentPort?.postMessage(message);
const onWarning = (text: string): void => tell({ kind: "warning", text });

const opened = ({ size, readOnly, canDiscard }: DiskShape): void =>
  tell({ kind: "opened", shape: { size, readOnly: readOnly || disk.readOnly, canDiscard } });

async function serve(): Promise<void> {
  const bell = new Doorbell(doorbell);
  const server = new DiskServer(memory, () => bell.ring());
  if (isNbdUrl(disk.path)) {
    const backend = await openServer(disk);
    opened(backend);
    await server.serveLater(backend);
    return;
  }
  const backend = withDisks(() => openHere(disk, onWarning));
  opened({ size: backend.size, readOnly: backend.readOnly, canDiscard: backend.discard !== undefined });
  server.serve(backend);
}

async function openServer({ path, readOnly, mode }: DiskDescription): Promise<NbdDisk> {
  const address = parseNbdUrl(path);
  const { exportName } = address;
  const backend = await openNbd({
    name: path,
    exportName,
    connect: () => connectNbd(address, CONNECT_MS),
    onWarning,
  });
  if (!backend.readOnly || readOnly || mode === "overlay") return backend;
  await backend.close();
  throw new HostError("disk-read-only", `disk ${path}: the server lets it be read only; attach it with readonly`);
}

try {
  await serve();
} catch (error) {
  tell({ kind: "failed", error: postError(diskFailure(error)) });
}
