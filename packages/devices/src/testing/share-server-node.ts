/** A thread that serves a folder, for tests: what it is given is the memory, the folder's path, and a word that it rings. */
import { workerData } from "node:worker_threads";
import { HostFolder } from "../share/folder/host-folder-node.ts";
import { FuseSession } from "../share/fuse/session.ts";
import { serveShare } from "../share/remote/server.ts";

export interface ShareServerData {
  readonly memory: SharedArrayBuffer;
  readonly path: string;
  readonly bell: SharedArrayBuffer;
}

const { memory, path, bell } = workerData as ShareServerData;
const folder = new HostFolder(path);
const word = new Int32Array(bell);
serveShare(memory, new FuseSession(folder), () => {
  Atomics.add(word, 0, 1);
  Atomics.notify(word, 0);
});
folder.close();
