import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { failures } from "../../packages/bulkhead/src/exit-codes.ts";
import { Cli, cli, printed, withFolder } from "./cli.ts";
import { skipWithout } from "./guest.ts";

const skip = await skipWithout("busybox");

/** A run of a shell script in the busybox guest. */
const busybox = (options: readonly string[], script: string): string[] => [
  ...["run", "busybox", "--memory", "256", ...options],
  ...["--", "sh", "-c", script],
];

/** Listens on this host's loopback. @returns the port. */
async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test("cli: a guest reaches this host only if it is allowed to", { skip }, async (t) => {
  const port = await listen(
    t,
    createHttpServer((_request, response) => response.end("from the host\n")),
  );
  const script = `wget -q -O - http://10.0.2.2:${port}/`;
  const allowed = await cli(busybox(["--allow", `host:${port}`], script));
  assert.deepEqual([allowed.code, allowed.stdout], [0, "from the host\n"], allowed.stderr);
  const refused = await cli(busybox([], script));
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /refused/);
});

test("cli: a web server in a guest answers through a published port", { skip }, async () => {
  const free = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
  const script = "mkdir /tmp/www; echo hello >/tmp/www/index.html; httpd -p 80 -h /tmp/www; echo up; sleep 1000";
  const running = new Cli(busybox(["--publish", `${free}:80`], script));
  try {
    await printed(running, "up\n");
    assert.equal(await (await fetch(`http://127.0.0.1:${free}/`)).text(), "hello\n");
    const again = await cli(busybox(["--publish", `${free}:80`], "true"));
    assert.deepEqual(
      [again.code, again.stderr],
      [
        failures["port-in-use"].exit,
        `bulkhead: publish 127.0.0.1:${free}/tcp: the port is already in use; choose another one\n`,
      ],
    );
  } finally {
    running.process.kill("SIGKILL");
  }
});

test("cli: two guests on one network exchange a file both ways, and see nothing else", { skip }, async () => {
  await withFolder(async (folder) => {
    const env = { XDG_RUNTIME_DIR: folder };
    // What the one offers as a file the other sends back.
    const serve = `
      mkdir /tmp/www
      head -c 4000000 /dev/urandom >/tmp/www/file
      httpd -p 80 -h /tmp/www
      ip -4 -o addr show eth0
      echo up
      nc -l -p 81 | cmp - /tmp/www/file && echo same
      sleep 1000
    `;
    const server = new Cli(busybox(["--network", "lab"], serve), { env });
    try {
      await printed(server, "up\n");
      const [address] = /10\.62\.\d+\.\d+/.exec(server.stdout) ?? assert.fail(server.stdout);
      const script = `
        wget -q -O /tmp/file http://${address}/file
        ip route | grep -c default
        nc ${address} 81 </tmp/file
      `;
      const client = await cli(busybox(["--network", "lab"], script), { env });
      assert.equal(client.stdout, "0\n", client.stderr);
      await printed(server, "same\n");
    } finally {
      server.process.kill("SIGKILL");
    }
  });
});

test("cli: --capture writes what the guest sends and gets", { skip }, async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "frames.pcap");
    const ended = await cli(busybox(["--capture", path], "ping -c 1 10.0.2.2 >/dev/null"));
    assert.equal(ended.code, 0, ended.stderr);
    const file = await readFile(path);
    let echoes = 0;
    for (let at = 24; at < file.length; at += 16 + file.readUInt32LE(at + 8)) {
      const frame = file.subarray(at + 16, at + 16 + file.readUInt32LE(at + 8));
      if (frame.readUInt16BE(12) === 0x0800 && frame[23] === 1 && (frame[34] === 8 || frame[34] === 0)) echoes++;
    }
    assert.equal(echoes, 2);
  });
});

test("cli: no network when none is wanted", { skip }, async () => {
  const { stdout } = await cli(busybox(["--network", "none"], "ls /sys/class/net"));
  assert.equal(stdout, "lo\n");
});
