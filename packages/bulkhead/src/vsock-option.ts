/** `--vsock`: what is typed, and the guest's sockets from before the guest starts until it has ended. */
import { type HostLink, LEAST_CID, MOST_CID } from "@bulkhead/hypervisor";
import { openVsock, type VsockSockets } from "@bulkhead/hypervisor/node";
import { noOffload } from "@bulkhead/network";
import { InvalidArgumentError } from "commander";

export interface VsockRequest {
  /** Path of the UNIX socket on this host. */
  readonly path: string;
  /** The guest's address. */
  readonly cid: number;
}

const USUAL_CID = 3;

/** `PATH[,cid=N]`. */
export function parseVsock(text: string): VsockRequest {
  const [, path, number] = /^(.*?)(?:,cid=(\d{1,10}))?$/.exec(text) ?? [];
  const cid = number === undefined ? USUAL_CID : Number(number);
  if (path === undefined || path === "" || path.includes(",") || cid < LEAST_CID || cid > MOST_CID) {
    throw new InvalidArgumentError(`Expected PATH or PATH,cid=N with N from ${LEAST_CID} to ${MOST_CID}.`);
  }
  return { path, cid };
}

/** Starts to listen, where that is asked for. Errors: `NetworkError`. */
export const openSockets = async (request: VsockRequest | undefined): Promise<GuestSockets | undefined> =>
  request && new GuestSockets(await openVsock(request.path, request.cid));

/** How long the guest's last packets may take to be read, once it has ended. */
const LAST_PACKETS_MS = 500;

/** The host's end of a guest's sockets. */
export class GuestSockets {
  readonly #sockets: VsockSockets;
  #listening: Promise<void> = Promise.resolve();

  constructor(sockets: VsockSockets) {
    this.#sockets = sockets;
  }

  /** Joins them to the guest's. */
  join(link: HostLink | undefined): void {
    if (link === undefined) return;
    const { host } = this.#sockets;
    host.attach({
      send: (header, parts, length) => link.deliver({ parts: [header, ...parts], length, offload: noOffload }),
      flush: () => link.flush(),
    });
    this.#listening = link.listen({ frame: ({ parts }) => host.input(parts[0]), room: () => host.hasRoom() });
  }

  /** Ends them, behind the last packet of a guest that has ended. */
  async close(): Promise<void> {
    const overdue = Promise.withResolvers<void>();
    const timer = setTimeout(overdue.resolve, LAST_PACKETS_MS);
    await Promise.race([this.#listening, overdue.promise]);
    clearTimeout(timer);
    await this.#sockets.close();
  }
}
