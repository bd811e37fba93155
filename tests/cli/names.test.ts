/** Names and IPv6, as a guest sees them through its NAT. */
import assert from "node:assert/strict";
import { lookup } from "node:dns/promises";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { findMirrors } from "../../packages/guests/src/archive/mirror.ts";
import { cli } from "./cli.ts";
import { skipWithout } from "./guest.ts";

const skip = await skipWithout("busybox");

/** A name that this host can resolve, if it knows one: that of the mirror it is configured with. */
async function knownName(): Promise<{ name: string; addresses: readonly string[] } | undefined> {
  try {
    const [mirror] = await findMirrors({ suite: "trixie" });
    const name = new URL(mirror).hostname;
    const addresses = (await lookup(name, { all: true })).map(({ address }) => address);
    return { name, addresses };
  } catch {
    return undefined;
  }
}

/** A server on this host's IPv6 loopback. @returns its port, or undefined where there is none. */
async function listenOnSix(t: TestContext): Promise<number | undefined> {
  const server = createServer((socket) => socket.end("over six\n"));
  const listens = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(0, "::1", () => resolve(true));
  });
  if (!listens) return undefined;
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test("cli: a guest has names and IPv6: its name server asks the host's, and this host answers over both", {
  skip,
}, async (t) => {
  const known = await knownName();
  const port = await listenOnSix(t);
  const script = `
    cat /etc/resolv.conf
    nslookup no-such-name.invalid >/dev/null || echo unknown
    ${known === undefined ? "" : `nslookup ${known.name} | tail -n +3`}
    while ! ip -6 addr show dev eth0 scope global | grep -q inet6; do sleep 0.1; done
    ping -6 -c 1 fd62:756c:6b68:1::2 >/dev/null && echo echoed
    ${port === undefined ? "" : `nc fd62:756c:6b68:1::2 ${port} </dev/null`}
  `;
  const options = ["--memory", "256", "--allow", "host"];
  const { code, stdout, stderr } = await cli(["run", "busybox", ...options, "--", "sh", "-c", script]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /nameserver 10\.0\.2\.3/);
  assert.match(stdout, /^unknown$/m);
  assert.match(stdout, /^echoed$/m);
  if (known === undefined) t.diagnostic("this host resolves no name: only an unknown one was asked for");
  else
    assert.ok(
      known.addresses.some((address) => stdout.includes(`Address: ${address}`)),
      stdout,
    );
  if (port === undefined) t.diagnostic("this host has no IPv6: only the gateway was asked");
  else assert.match(stdout, /^over six$/m);
});
