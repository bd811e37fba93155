/** An uplink through a running passt, over its UNIX socket. Comes back by itself when passt does. @spec passt(1) */
import { connect } from "node:net";
import { NetworkError } from "../network-error.ts";
import type { Switch } from "../switch/switch.ts";
import { StreamPort } from "./stream-port-node.ts";

const RETRY_MS = 1000;

export interface Uplink {
  close(): void;
}

/** Connects. Errors: `uplink-missing`. @param onWarning is told in a sentence when the uplink goes and comes. */
export async function passt(device: Switch, path: string, onWarning: (text: string) => void): Promise<Uplink> {
  let closed = false;
  let port: StreamPort | undefined;
  let timer: NodeJS.Timeout | undefined;
  const lost = (reason: string): void => {
    if (closed) return;
    onWarning(`uplink passt:${path}: ${reason}; the network is down until it is back`);
    again();
  };
  const again = (): void => {
    timer = setTimeout(() => {
      plug(device, path, lost).then((fresh) => {
        port = fresh;
        if (closed) fresh.close();
        else onWarning(`uplink passt:${path}: it is back`);
      }, again);
    }, RETRY_MS);
    timer.unref();
  };
  port = await plug(device, path, lost).catch((cause: NodeJS.ErrnoException) => {
    const message = `uplink passt:${path}: nobody answers there (${cause.code}); start passt --socket ${path} first`;
    throw new NetworkError("uplink-missing", message, { cause });
  });
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      port?.close();
    },
  };
}

function plug(device: Switch, path: string, lost: (reason: string) => void): Promise<StreamPort> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.unref();
      resolve(new StreamPort(device, socket, { offloads: false, onClose: lost }));
    });
  });
}
