/** Sockets between a program of the host and one of a real guest, both ways. Debian's guests have Perl, which can make them. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Cli, cli, printed, withFolder } from "./cli.ts";
import { skipWithout } from "./guest.ts";

const ECHOES = 3;
const BYTES = 2 * 1024 * 1024;

/** Calls port 77 of the host, and 78 where nobody listens; then echoes what comes on port 52. */
const SCRIPT = `
use Socket; $| = 1;
sub address { pack("S S L L x4", 40, 0, $_[1], $_[0]) }
sub vsock { socket(my $s, 40, SOCK_STREAM, 0) or die "socket: $!"; $s }
my $s = vsock();
connect($s, address(2, 77)) or die "connect: $!";
syswrite($s, "from the guest"); shutdown($s, 1);
print while sysread($s, $_, 100);
print "\\n", connect(vsock(), address(2, 78)) ? "connected" : "refused", "\\n";
my $l = vsock();
bind($l, address(0xffffffff, 52)) && listen($l, 8) or die "listen: $!";
print "listening\\n";
for (1 .. ${ECHOES}) {
  accept(my $c, $l) or die "accept: $!";
  next if fork;
  my $b;
  while (sysread($c, $b, 65536)) { for (my $o = 0; $o < length $b;) { $o += syswrite($c, $b, length($b) - $o, $o) // die "write: $!" } }
  exit;
}
1 while wait > 0;
`;

/** Everything that comes on a socket, to its end. */
async function heard(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // An iterator would close the other direction too.
  socket.on("data", (chunk) => chunks.push(chunk));
  await once(socket, "end");
  return Buffer.concat(chunks);
}

const skip = await skipWithout("debian");

test("cli: --vsock joins programs of host and guest, both ways", { skip }, async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "v.sock");
    const called = Promise.withResolvers<string>();
    const server = createServer({ allowHalfOpen: true }, async (socket) => {
      called.resolve(String(await heard(socket)));
      socket.end("from the host");
    }).listen(`${path}_77`);
    await once(server, "listening");
    const running = new Cli(["run", "debian", "--vsock", `${path},cid=9`, "--", "perl", "-e", SCRIPT], { input: "" });
    try {
      await printed(running, "listening\n");
      assert.equal(running.stdout, "from the host\nrefused\nlistening\n");
      assert.equal(await called.promise, "from the guest");
      const stranger = connect(path);
      stranger.write("CONNECT 53\n");
      assert.equal((await heard(stranger)).length, 0);
      const sent = Array.from({ length: ECHOES }, () => randomBytes(BYTES));
      const got = await Promise.all(
        sent.map((bytes) => {
          const socket = connect({ path, allowHalfOpen: true });
          socket.end(Buffer.concat([Buffer.from("CONNECT 52\n"), bytes]));
          return heard(socket);
        }),
      );
      for (const [i, bytes] of got.entries()) {
        const start = bytes.indexOf("\n") + 1;
        assert.match(bytes.subarray(0, start).toString(), /^OK \d+\n$/);
        assert.ok(bytes.subarray(start).equals(sent[i]), "what came back differs");
      }
      const { code } = await running.ended;
      assert.equal(code, 0);
      assert.equal(existsSync(path), false);
    } finally {
      running.process.kill("SIGKILL");
      server.close();
    }
  });
});

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
