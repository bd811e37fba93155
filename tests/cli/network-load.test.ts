/** What a real guest does to its NAT when there is much of it: many connections, large transfers, readers that wait. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { Cli, cli } from "./cli.ts";
import { skipWithout } from "./guest.ts";

const skip = await skipWithout("busybox");

const MIB = 1 << 20;
/** TRANSFER_MIB=1024 is the long form. */
const TRANSFER_MIB = Number(process.env.TRANSFER_MIB ?? 32);
const CONNECTIONS = 1000;

const busybox = (memoryMiB: number, script: string): string[] => [
  ...["run", "busybox", "--memory", String(memoryMiB), "--allow", "host", "--", "sh", "-c"],
  script,
];

/** Listens on this host's loopback. @returns the port. */
async function listen(t: TestContext, accept: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    accept(socket);
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** The block of a stream that has the number; any two differ. */
function block(number: number): Uint8Array {
  const words = new Uint32Array(MIB / 4);
  for (let i = 0, word = (number + 1) * 0x9e37_79b9; i < words.length; i++) {
    words[i] = word;
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) | 0;
  }
  return new Uint8Array(words.buffer);
}

/** Writes the stream as fast as it is taken, and ends. */
function pour(socket: Socket): void {
  let next = 0;
  const go = (): void => {
    while (next < TRANSFER_MIB) if (!socket.write(block(next++))) return void socket.once("drain", go);
    socket.end();
  };
  go();
}

test(`cli: ${TRANSFER_MIB} MiB go into a guest and come back, with the right digests on both sides`, {
  skip,
}, async (t) => {
  const source = await listen(t, pour);
  const received = Promise.withResolvers<string>();
  const sink = await listen(t, (socket) => {
    const hash = createHash("md5");
    socket.on("data", (bytes) => hash.update(bytes));
    socket.on("end", () => {
      socket.end();
      received.resolve(hash.digest("hex"));
    });
  });
  const expected = createHash("md5");
  for (let number = 0; number < TRANSFER_MIB; number++) expected.update(block(number));
  const digest = expected.digest("hex");
  // The guest computes a digest of what it got, and sends on what it got.
  const script = `mkfifo /tmp/copy; md5sum </tmp/copy & nc 10.0.2.2 ${source} </dev/null | tee /tmp/copy | nc 10.0.2.2 ${sink}; wait`;
  const ended = await cli(busybox(256, script));
  assert.deepEqual([ended.code, ended.stdout], [0, `${digest}  -\n`], ended.stderr);
  assert.equal(await received.promise, digest);
});

test(`cli: ${CONNECTIONS} connections of a guest are open at once, and each gets its own answer`, {
  skip,
}, async (t) => {
  const sockets: Socket[] = [];
  const port = await listen(t, (socket) => {
    sockets.push(socket);
    socket.resume();
    if (sockets.length === CONNECTIONS) for (const [number, each] of sockets.entries()) each.end(`${number}\n`);
  });
  const script = `
    mkdir /tmp/answers
    i=0
    while [ $i -lt ${CONNECTIONS} ]; do nc 10.0.2.2 ${port} </dev/null >/tmp/answers/$i & i=$((i + 1)); done
    wait
    cat /tmp/answers/* | sort -n | uniq | wc -l
    cat /tmp/answers/* | sort -n | tail -n 1
  `;
  const ended = await cli(busybox(768, script));
  assert.deepEqual(
    [ended.code, ended.stdout.split(/\s+/)],
    [0, [`${CONNECTIONS}`, `${CONNECTIONS - 1}`, ""]],
    ended.stderr,
  );
});

test("cli: a server that does not read holds the guest back, not the host's memory", { skip }, async (t) => {
  const stalled = Promise.withResolvers<Socket>();
  let received = 0;
  const port = await listen(t, (socket) => {
    socket.pause();
    socket.on("data", (bytes) => {
      received += bytes.length;
    });
    socket.on("end", () => socket.end());
    stalled.resolve(socket);
  });
  const running = new Cli(busybox(256, `head -c ${64 * MIB} /dev/zero | nc 10.0.2.2 ${port} && echo sent`), {
    input: "",
  });
  try {
    const socket = await stalled.promise;
    const before = residentMiB(running.process.pid ?? 0);
    const sizes: number[] = [];
    for (let look = 0; look < 10; look++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      sizes.push(residentMiB(running.process.pid ?? 0));
    }
    // Code that is translated meanwhile counts too: 64 MiB of the stream on top would show all the same.
    assert.ok(Math.max(...sizes) - before < 48, `${before} MiB, then ${sizes.join(", ")}`);
    assert.equal(running.stdout, "");
    socket.resume();
    const { code, stdout, stderr } = await running.ended;
    assert.deepEqual([code, stdout], [0, "sent\n"], stderr);
    assert.equal(received, 64 * MIB);
  } finally {
    running.process.kill("SIGKILL");
  }
});

function residentMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}
