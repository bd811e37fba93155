/** What `--network` and `--publish` ask for, from the words on the command line. */
import { isSegmentName, type PublishedPort } from "@bulkhead/network/node";
import { InvalidArgumentError } from "commander";

/** What a network device of the guest is plugged into. */
export type NetworkRequest =
  | { readonly kind: "nat" }
  | { readonly kind: "none" }
  | { readonly kind: "private"; readonly name: string; readonly vlan?: number }
  | { readonly kind: "passt"; readonly path: string }
  /** A file descriptor's number, or the path of a device. */
  | { readonly kind: "tap"; readonly where: string };

/** What a guest gets when nothing is said. */
export const usualNetworks: readonly NetworkRequest[] = [{ kind: "nat" }];

const MOST_VLAN = 4094;

/** `nat`, `none`, `NAME`, `NAME,vlan=N`, `passt:SOCKET`, `tap:FD` or `tap:DEVICE`. */
export function parseNetwork(text: string): NetworkRequest {
  if (text === "nat" || text === "none") return { kind: text };
  const [, kind, rest = ""] = /^(passt|tap):(.+)$/.exec(text) ?? [];
  if (kind === "passt") return { kind, path: rest };
  if (kind === "tap") return { kind, where: rest };
  const [name, option, ...more] = text.split(",");
  const vlan = option === undefined ? undefined : Number(/^vlan=(\d{1,4})$/.exec(option)?.[1]);
  const right = vlan === undefined || (vlan >= 1 && vlan <= MOST_VLAN);
  if (!isSegmentName(name) || !right || more.length > 0) {
    throw new InvalidArgumentError("Expected nat, none, NAME, NAME,vlan=1-4094, passt:SOCKET or tap:FD.");
  }
  return { kind: "private", name, ...(vlan === undefined ? {} : { vlan }) };
}

const PUBLISH = /^(?:(\[[0-9a-f:.]+\]|[0-9.]+):)?(\d{1,5}):(\d{1,5})(?:\/(tcp|udp))?$/i;

/** `HOST:GUEST`, with an address of the host in front and `/udp` behind where wanted. */
export function parsePublish(text: string): PublishedPort {
  const [, address, host, guest, protocol = "tcp"] = PUBLISH.exec(text) ?? [];
  const [hostPort, guestPort] = [Number(host), Number(guest)];
  if (!(hostPort <= 65535 && guestPort >= 1 && guestPort <= 65535)) {
    throw new InvalidArgumentError("Expected [ADDRESS:]HOST:GUEST[/udp], as in 8080:80 or 0.0.0.0:5353:53/udp.");
  }
  return {
    protocol: protocol.toLowerCase() as "tcp" | "udp",
    address: address?.replace(/[[\]]/g, "") ?? "127.0.0.1",
    hostPort,
    guestPort,
  };
}
