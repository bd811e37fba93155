/** A Debian guest installs a package through its NAT, from the mirror that this host's apt is configured with. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { findMirrors } from "../../packages/guests/src/archive/mirror.ts";
import { cli } from "./cli.ts";
import { skipWithout } from "./guest.ts";

/** Whether the mirror answers this host. A guest has no proxy, so that one behind which this host is does not count. */
async function mirrorAnswers(): Promise<boolean> {
  try {
    const [mirror] = await findMirrors({ suite: "trixie" });
    const answer = await fetch(`${mirror}/dists/trixie/InRelease`, {
      method: "HEAD",
      signal: AbortSignal.timeout(5000),
    });
    return answer.ok;
  } catch {
    return false;
  }
}

const skip = (await skipWithout("debian")) || ((await mirrorAnswers()) ? false : "no Debian mirror answers this host");

test("cli: apt-get update and install work in a Debian guest", { skip }, async () => {
  const quiet = "apt-get -qq -o Acquire::Languages=none";
  const script = `${quiet} update && ${quiet} install -y --no-install-recommends hello >/dev/null 2>&1 && hello`;
  const ended = await cli(["run", "debian", "--", "sh", "-c", script]);
  assert.deepEqual([ended.code, ended.stdout], [0, "Hello, world!\n"], ended.stderr);
});
