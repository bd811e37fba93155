/** The thread that compiles regions for a partition's harts. The partition's owner starts and ends it. */
import { type MessagePort, workerData } from "node:worker_threads";
import { serveRegions } from "@bulkhead/machine/node";
import { giveBack } from "../memory/give-back-node.ts";

for (const port of workerData as readonly MessagePort[]) serveRegions(port, giveBack);
