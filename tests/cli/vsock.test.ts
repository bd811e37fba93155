/** Sockets between a program of the host and one of a real guest, both ways. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Cli, cli, printed, withFolder } from "./cli.ts";
import { skipWithout } from "./guest.ts";
import { ANY_CID, HOST_CID, vsockProgram } from "./vsock-program.ts";

const ECHOES = 3;
const BYTES = 2 * 1024 * 1024;
/**
 * What the guest sends when it ends, in part still on its way to a program of the host's that does not read: a connection holds
 * 128 KiB for it, whatever the host's own buffers take besides.
 */
const LAST_BYTES = 120 * 1024;

const base64 = (program: Uint8Array): string => Buffer.from(program).toString("base64");

/** Calls port 77 of the host, and 78 where nobody listens; then echoes what comes on port 52. */
const SCRIPT = `
program() { echo "$2" | base64 -d > /tmp/$1; chmod 755 /tmp/$1; }
program call ${base64(vsockProgram(HOST_CID, 77))}
program call-nobody ${base64(vsockProgram(HOST_CID, 78))}
program call-last ${base64(vsockProgram(HOST_CID, 79))}
program listen ${base64(vsockProgram(ANY_CID, 52))}
/tmp/call /bin/sh -c 'echo from the guest; read answer; echo "$answer" >&2'
/tmp/call-nobody /bin/true || echo refused
for i in $(seq ${ECHOES}); do
  /tmp/listen /bin/cat
done
/tmp/call-last /bin/dd if=/dev/zero bs=1k count=${LAST_BYTES / 1024} 2>/dev/null
echo done
`;

/** Everything that comes on a socket, to its end. */
async function heard(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // An iterator would close the other direction too.
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  await once(socket, "end");
  return Buffer.concat(chunks);
}

const skip = await skipWithout("busybox");

test("cli: --vsock joins programs of host and guest, both ways", { skip }, async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "v.sock");
    const called = Promise.withResolvers<string>();
    const server = createServer((socket) => {
      socket.once("data", (bytes) => called.resolve(String(bytes)));
      socket.write("from the host\n");
    }).listen(`${path}_77`);
    const last = Promise.withResolvers<Socket>();
    const slow = createServer({ pauseOnConnect: true }, last.resolve).listen(`${path}_79`);
    await Promise.all([once(server, "listening"), once(slow, "listening")]);
    const running = new Cli(["run", "busybox", "--vsock", `${path},cid=9`, "--", "sh", "-c", SCRIPT]);
    try {
      await printed(running, "refused\n");
      assert.equal(await called.promise, "from the guest\n");
      for (let i = 0; i < ECHOES; i++) {
        const bytes = randomBytes(BYTES);
        assert.ok((await echoed(path, bytes)).equals(bytes), "what came back differs");
      }
      await printed(running, "done\n");
      assert.equal((await heard(await last.promise)).length, LAST_BYTES);
      const { code, stdout, stderr } = await running.ended;
      assert.deepEqual([code, stdout, stderr], [0, "refused\ndone\n", "from the host\n"]);
      assert.equal(existsSync(path), false);
    } finally {
      running.process.kill("SIGKILL");
      server.close();
      slow.close();
    }
  });
});

/** What comes back from the guest's port 52; it is refused while nobody listens there, and asked again. */
async function echoed(path: string, bytes: Buffer): Promise<Buffer> {
  for (;;) {
    const socket = connect({ path, allowHalfOpen: true });
    socket.write("CONNECT 52\n");
    const [greeting] = await Promise.race([once(socket, "data"), once(socket, "end")]);
    if (greeting === undefined) continue;
    assert.match(String(greeting), /^OK \d+\n$/);
    socket.end(bytes);
    return heard(socket);
  }
}

test("cli: --vsock refuses what cannot be listened on", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "v.sock");
    const server = createServer().listen(path);
    await once(server, "listening");
    const kernel = ["run", "--kernel", process.execPath];
    const used = await cli([...kernel, "--vsock", path]);
    assert.equal(used.code, 97);
    assert.match(used.stderr, /another program listens on it/);
    assert.equal((await cli([...kernel, "--vsock", join(folder, "missing", "v.sock")])).code, 97);
    for (const wrong of [`${path},cid=2`, `${path},cid=x`, ""]) {
      assert.equal((await cli([...kernel, "--vsock", wrong])).code, 101);
    }
    server.close();
  });
});
