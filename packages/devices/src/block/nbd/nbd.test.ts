import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { NbdServer, type NbdServerOptions } from "../../testing/nbd-server-node.ts";
import { qemuCheck, qemuImg } from "../../testing/qemu-img-node.ts";
import { seededRandom } from "../../testing/random.ts";
import type { ServedRequest } from "../remote/server.ts";
import { parseNbdUrl } from "./address.ts";
import { connectNbd } from "./connect-node.ts";
import { type NbdDisk, type NbdOptions, openNbd } from "./disk.ts";

const SIZE = 4 * 1024 * 1024;
const directory = mkdtempSync(join(tmpdir(), "bulkhead-nbd-"));
after(() => rmSync(directory, { recursive: true }));
let count = 0;
const socketPath = (): string => join(directory, `socket-${count++}`);

const open = (url: string, options: Partial<NbdOptions> = {}): Promise<NbdDisk> => {
  const address = parseNbdUrl(url);
  const connect = (): ReturnType<typeof connectNbd> => connectNbd(address, 1000);
  return openNbd({ name: url, exportName: address.exportName, connect, ...options });
};

async function served(options: NbdServerOptions = {}, clientOptions: Partial<NbdOptions> = {}) {
  const server = new NbdServer(SIZE, options);
  const path = socketPath();
  await server.listen(path);
  const warnings: string[] = [];
  const onWarning = (text: string): number => warnings.push(text);
  const url = `nbd+unix:///?socket=${path}`;
  return { server, path, warnings, url, disk: await open(url, { onWarning, ...clientOptions }) };
}

const request = (kind: ServedRequest["kind"], offset: number, data: Uint8Array | number): ServedRequest => ({
  kind,
  offset,
  length: typeof data === "number" ? data : data.length,
  unmap: true,
  data: typeof data === "number" ? new Uint8Array(kind === "read" ? data : 0) : data,
});

async function read(disk: NbdDisk, offset: number, length: number): Promise<Uint8Array> {
  const wanted = request("read", offset, length);
  await disk.serve(wanted);
  return wanted.data;
}

/** Reads and writes with many requests under way, and compares. */
async function exercise(disk: NbdDisk, seed: (sentence: string) => void, disturb: () => void = () => {}) {
  const random = seededRandom(seed, Number(process.env.SEED ?? Date.now() % 2 ** 31));
  const expected = new Uint8Array(SIZE);
  for (let round = 0; round < 20; round++) {
    const work: Promise<unknown>[] = [];
    // Requests that are under way together must not overlap.
    for (let i = 0; i < 16; i++) {
      const offset = i * (SIZE / 16) + 512 * random.below(100);
      const length = 512 * (1 + random.below(128));
      const kind = random.pick(["read", "write", "write", "writeZeroes", "flush"] as const);
      if (kind === "write") {
        const bytes = new Uint8Array(length).fill(1 + random.below(255));
        expected.set(bytes, offset);
        work.push(disk.serve(request(kind, offset, bytes)));
      } else if (kind === "read") {
        const before = expected.slice(offset, offset + length);
        work.push(read(disk, offset, length).then((found) => assert.deepEqual(found, before)));
      } else if (kind === "writeZeroes") {
        expected.fill(0, offset, offset + length);
        work.push(disk.serve(request(kind, offset, length)));
      } else work.push(disk.serve(request(kind, 0, 0)));
      if (random.below(40) === 0) disturb();
    }
    await Promise.all(work);
  }
  for (let at = 0; at < SIZE; at += 65536)
    assert.deepEqual(await read(disk, at, 65536), expected.slice(at, at + 65536));
  return expected;
}

test("openNbd: reads and writes with many requests under way", async (t) => {
  const { server, disk } = await served();
  const expected = await exercise(disk, (text) => t.diagnostic(text));
  await disk.close();
  assert.deepEqual(new Uint8Array(server.stable), expected);
  await server.close();
});

test("openNbd: manages with a server that only knows names of exports", async (t) => {
  const { server, disk } = await served({ onlyExportName: true });
  await exercise(disk, (text) => t.diagnostic(text));
  await disk.close();
  await server.close();
});

test("NbdDisk: lost connections cost nothing", async (t) => {
  const { server, disk, warnings } = await served();
  const expected = await exercise(
    disk,
    (text) => t.diagnostic(text),
    () => server.drop(),
  );
  assert.ok(warnings.some((text) => text.includes("lost")));
  await disk.close();
  assert.deepEqual(new Uint8Array(server.stable), expected);
  await server.close();
});

test("NbdDisk: a server that loses its power, and what was not flushed, costs nothing either", async (t) => {
  const { server, disk } = await served();
  const expected = await exercise(
    disk,
    (text) => t.diagnostic(text),
    () => server.losePower(),
  );
  await disk.serve(request("flush", 0, 0));
  assert.deepEqual(new Uint8Array(server.stable), expected);
  await disk.close();
  await server.close();
});

test("NbdDisk: unflushed writes that are kept are bounded", async () => {
  const { server, disk } = await served();
  const bytes = new Uint8Array(65536).fill(1);
  for (let i = 0; i < 160; i++) await disk.serve(request("write", (i % 64) * 65536, bytes));
  assert.equal(server.stable[0], 1);
  await disk.close();
  await server.close();
});

test("NbdDisk: another connection is made when the server says nothing", async () => {
  const { server, disk, warnings } = await served({}, { answerMs: 100 });
  await disk.serve(request("write", 0, new Uint8Array(512).fill(1)));
  server.answers = 0;
  const reading = read(disk, 0, 512);
  while (server.connections < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  server.answers = Number.POSITIVE_INFINITY;
  assert.equal((await reading)[0], 1);
  assert.match(warnings[0], /no answer/);
  await disk.close();
  await server.close();
});

test("NbdDisk: requests fail when the server stays away, and work again when it is back", async () => {
  const { server, disk, path } = await served({}, { giveUpMs: 100 });
  const stays = new NbdServer(SIZE);
  await server.close();
  await assert.rejects(read(disk, 0, 512), { code: "disk-unreachable" });
  await assert.rejects(read(disk, 0, 512), { code: "disk-unreachable" });
  rmSync(path, { force: true });
  await stays.listen(path);
  for (;;) {
    const found = await read(disk, 0, 512).catch(() => undefined);
    if (found !== undefined) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await disk.close();
  await stays.close();
});

test("NbdDisk: what the server refuses is an error of the request", async () => {
  const { server, disk } = await served({ writeError: 28 });
  await assert.rejects(disk.serve(request("write", 0, new Uint8Array(512))), /no space left/);
  assert.equal((await read(disk, 0, 512))[0], 0);
  await disk.close();
  await server.close();
});

test("openNbd: says what is wrong with a server", async () => {
  await assert.rejects(open(`nbd+unix:///?socket=${socketPath()}`), { code: "disk-unreachable", message: /ENOENT/ });
  const mute = createServer((socket) => socket.on("error", () => {}));
  const mutePath = socketPath();
  await new Promise<void>((resolve) => mute.listen(mutePath, resolve));
  await assert.rejects(open(`nbd+unix:///?socket=${mutePath}`, { answerMs: 50 }), {
    message: /no answer within 50 ms/,
  });
  mute.close();
  const answering = async (bytes: string | Buffer): Promise<unknown> => {
    const path = socketPath();
    const server = createServer((socket) => socket.on("error", () => {}).end(bytes));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const error = await open(`nbd+unix:///?socket=${path}`).catch((error) => error);
    server.close();
    assert.equal(error.code, "disk-unreachable");
    return error.message;
  };
  assert.match(String(await answering("HTTP/1.1 400 Bad Request\r\n\r\n")), /no NBD server/);
  assert.match(String(await answering("NBDMAGIC\0\0\x42\x02\x81\x86\x12\x53\0\0")), /oldstyle/);
  assert.match(String(await answering("NBDMAGICIHAVEOPT\0\0")), /newstyle/);
  assert.match(String(await answering("NBDMAGIC")), /closed/);
  const noise = Buffer.concat([Buffer.from("NBDMAGICIHAVEOPT\0\x03"), Buffer.alloc(100, 0xff)]);
  assert.match(String(await answering(noise)), /no sense/);
});

test("parseNbdUrl: knows hosts, ports and sockets, and refuses the rest", () => {
  const parsed = (text: string) => ({ ...parseNbdUrl(text), url: undefined });
  assert.deepEqual(parsed("nbd://h"), { url: undefined, exportName: "", host: "h", port: 10809 });
  assert.deepEqual(parsed("nbd://[::1]:99/a%20b"), { url: undefined, exportName: "a b", host: "::1", port: 99 });
  assert.deepEqual(parsed("nbd+unix:///e?socket=/s,1"), { url: undefined, exportName: "e", socket: "/s,1" });
  for (const text of ["nbds://h/e", "nbd+unix:///e", "nbd+ssh://h/e", "nbd://", "nbd://u@h/e", "nbd://h:1x"]) {
    assert.throws(() => parseNbdUrl(text), { code: "disk-format" }, text);
  }
});

const has = (tool: string): boolean => spawnSync(tool, ["--version"], { stdio: "ignore" }).status === 0;

async function untilSocket(path: string, child: ChildProcess): Promise<void> {
  while (!existsSync(path)) {
    assert.equal(child.exitCode, null, "the server has ended");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const skipQemu = has("qemu-nbd") ? false : "no qemu-nbd on this host (qemu-utils)";
test("openNbd: works with qemu-nbd, which is killed now and then", { skip: skipQemu }, async (t) => {
  const image = join(directory, "exported.qcow2");
  qemuImg("create", "-q", "-f", "qcow2", image, String(SIZE));
  const path = socketPath();
  const start = async (): Promise<ChildProcess> => {
    rmSync(path, { force: true });
    const child = spawn("qemu-nbd", [
      "-t",
      "-f",
      "qcow2",
      "-x",
      "disk",
      "--discard=unmap",
      "--shared=2",
      "-k",
      path,
      image,
    ]);
    await untilSocket(path, child);
    return child;
  };
  let child = await start();
  const disk = await open(`nbd+unix:///disk?socket=${path}`);
  let restarts = 0;
  let restarting: Promise<void> | undefined;
  const restart = (): void => {
    if (restarting !== undefined || restarts++ > 1) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    restarting = exited.then(async () => {
      child = await start();
      restarting = undefined;
    });
  };
  const expected = await exercise(disk, (text) => t.diagnostic(text), restart);
  await assert.rejects(open(`nbd+unix:///other?socket=${path}`), { code: "disk-unreachable", message: /no export/ });
  await disk.close();
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await exited;
  const raw = join(directory, "exported.raw");
  qemuImg("convert", "-f", "qcow2", "-O", "raw", image, raw);
  assert.equal(qemuCheck(image).corruptions, 0);
  assert.equal(execFileSync("cmp", [raw, "-"], { input: expected }).length, 0);
});

const skipNbdkit = has("nbdkit") ? false : "no nbdkit on this host";
test("openNbd: works with nbdkit over TCP", { skip: skipNbdkit }, async (t) => {
  const port = 20000 + (process.pid % 20000);
  const child = spawn("nbdkit", ["-f", "-i", "127.0.0.1", "-p", String(port), "memory", String(SIZE)]);
  try {
    let disk: NbdDisk | undefined;
    while (disk === undefined) {
      assert.equal(child.exitCode, null);
      disk = await open(`nbd://127.0.0.1:${port}/`).catch(() => undefined);
      if (disk === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await exercise(disk, (text) => t.diagnostic(text));
    await disk.close();
  } finally {
    child.kill("SIGTERM");
  }
});
