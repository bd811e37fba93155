/** A switch with a NAT and a guest's stack, on the host's real sockets; and servers of the tests' own on its loopback. */
import { createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { hostClock } from "../clock-node.ts";
import type { Abilities } from "../frame.ts";
import { Gateway, type GatewayOptions } from "../nat/gateway.ts";
import { nodeHost } from "../nat/host-node.ts";
import { Policy } from "../policy/policy.ts";
import { parseRule, type Rule } from "../policy/rule.ts";
import { Switch } from "../switch/switch.ts";
import { GuestStack } from "./guest-stack.ts";

export const rule = (text: string): Rule => {
  const parsed = parseRule(text.slice(1), text.startsWith("+"));
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
};

export interface NatFixture {
  readonly device: Switch;
  readonly gateway: Gateway;
  readonly guest: GuestStack;
}

/** @param rules as `+allowed` and `-denied`; the host's loopback is allowed unless there are some. `knows`: the gateway has heard of the guest. */
export function natFixture(
  t: TestContext,
  options: Partial<GatewayOptions> & { rules?: readonly string[]; abilities?: Abilities; knows?: boolean } = {},
): NatFixture {
  const device = new Switch();
  const policy = new Policy((options.rules ?? ["+host"]).map(rule));
  const gateway = new Gateway({ clock: hostClock, host: nodeHost, policy, ...options });
  gateway.attach(device.plug(gateway, { pinned: [gateway.mac] }));
  const guest = new GuestStack(device, undefined, undefined, options.abilities);
  if (options.knows !== false) guest.arp(Uint8Array.of(10, 0, 2, 2));
  t.after(() => gateway.close());
  return { device, gateway, guest };
}

/** A server of the test's on the host's loopback. @returns its port. */
export async function serve(t: TestContext, accept: (socket: Socket) => void, host = "127.0.0.1"): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    accept(socket);
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host, backlog: 4096 }, resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}
