import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { ImageError, type ImageErrorCode } from "../error.ts";
import { impatience, LoopbackMirror } from "../testing/loopback-mirror.ts";
import { filesBelow, scratch } from "../testing/scratch.ts";
import { type Download, fetchBytes, fetchFile } from "./download.ts";

const content = new Uint8Array(300_000).map((_, index) => (index * 7 + (index >> 8)) & 255);
const sum = createHash("sha256").update(content).digest("hex");

const failsWith = (code: ImageErrorCode, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ImageError, String(error));
  assert.equal(error.code, code, error.message);
  if (message !== undefined) assert.match(error.message, message);
  return true;
};

async function serving(t: Parameters<typeof scratch>[0]) {
  const mirror = await LoopbackMirror.start();
  t.after(() => mirror[Symbol.asyncDispose]());
  mirror.files.set("/file", content);
  const directory = await scratch(t);
  const path = join(directory, "sub", "file");
  const download: Download = {
    url: `${mirror.address}/file`,
    size: content.length,
    sha256: sum,
    patience: impatience,
  };
  return { mirror, directory, path, download };
}

test("fetchFile: stores what was promised, and reports bytes on the way", async (t) => {
  const { directory, path, download } = await serving(t);
  let last = 0;
  const onBytes = (taken: number) => {
    assert.ok(taken >= last);
    last = taken;
  };
  await fetchFile({ ...download, onBytes }, path);
  assert.deepEqual(new Uint8Array(await readFile(path)), content);
  assert.equal(last, content.length);
  assert.deepEqual(await filesBelow(directory), ["sub/file"]);
});

test("fetchFile: takes a broken transfer up again where it broke", async (t) => {
  const { mirror, path, download } = await serving(t);
  const ranges: (string | undefined)[] = [];
  mirror.misbehave = (_path, request, response) => {
    ranges.push(request.headers.range);
    if (ranges.length > 1) return false;
    response.writeHead(200, { etag: `"${sum.slice(0, 16)}"`, "content-length": content.length });
    response.write(content.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 20));
    return true;
  };
  await fetchFile(download, path);
  assert.deepEqual(new Uint8Array(await readFile(path)), content);
  assert.equal(ranges.length, 2);
  assert.match(ranges[1] ?? "", /^bytes=\d+-$/);
});

test("fetchFile: starts over where the mirror does not know ranges", async (t) => {
  const { mirror, path, download } = await serving(t);
  let first = true;
  mirror.misbehave = (_path, _request, response) => {
    response.writeHead(200, { "content-length": content.length });
    if (!first) response.end(content);
    else response.write(content.subarray(0, 50_000), () => setTimeout(() => response.destroy(), 20));
    first = false;
    return true;
  };
  await fetchFile(download, path);
  assert.deepEqual(new Uint8Array(await readFile(path)), content);
});

test("fetchFile: refuses a wrong checksum after a second try and leaves nothing", async (t) => {
  const { mirror, directory, path, download } = await serving(t);
  mirror.files.set("/file", content.with(5, 0));
  await assert.rejects(fetchFile(download, path), failsWith("checksum-mismatch", /SHA-256 .* promises/));
  assert.equal(mirror.requests.length, 2);
  assert.deepEqual(await filesBelow(directory), []);
});

test("fetchFile: refuses fewer or more bytes than promised", async (t) => {
  const { mirror, directory, path, download } = await serving(t);
  mirror.files.set("/file", content.subarray(0, 1000));
  await assert.rejects(fetchFile(download, path), failsWith("checksum-mismatch", /1000 bytes/));
  mirror.files.set("/file", new Uint8Array(400_000));
  await assert.rejects(fetchFile(download, path), failsWith("checksum-mismatch", /more bytes/));
  assert.deepEqual(await filesBelow(directory), []);
});

test("fetchFile: fails at once on 404, and on 503 only when it stays", async (t) => {
  const { mirror, directory, path, download } = await serving(t);
  await assert.rejects(
    fetchFile({ ...download, url: `${mirror.address}/none` }, path),
    failsWith("mirror-status", /404/),
  );
  assert.equal(mirror.requests.length, 1);
  let refusals = 0;
  mirror.misbehave = (_path, _request, response) => {
    if (refusals++ > 0) return false;
    response.writeHead(503).end("busy");
    return true;
  };
  await fetchFile(download, path);
  mirror.misbehave = (_path, _request, response) => {
    response.writeHead(503).end();
    return true;
  };
  await assert.rejects(fetchFile(download, join(directory, "b")), failsWith("mirror-status", /503/));
  assert.deepEqual(await filesBelow(directory), ["sub/file"]);
});

test("fetchFile: gives a silent mirror up", async (t) => {
  const { mirror, directory, path, download } = await serving(t);
  mirror.misbehave = (_path, _request, response) => {
    response.writeHead(200, { "content-length": content.length });
    response.write(content.subarray(0, 10));
    return true;
  };
  const patience = { retries: 1, backoffMs: 1, stallMs: 50 };
  await assert.rejects(fetchFile({ ...download, patience }, path), failsWith("download-stalled"));
  assert.deepEqual(await filesBelow(directory), []);
});

test("fetchFile: says when nobody answers", async (t) => {
  const { path, download } = await serving(t);
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const refused = fetchFile({ ...download, url: `http://127.0.0.1:${port}/file` }, path);
  await assert.rejects(refused, failsWith("no-network", /ECONNREFUSED/));
});

test("fetchFile: stops when it is interrupted, in a transfer or between two, and leaves nothing", async (t) => {
  const { mirror, directory, path, download } = await serving(t);
  const stop = new AbortController();
  mirror.misbehave = (_path, _request, response) => {
    response.writeHead(200, { "content-length": content.length });
    response.write(content.subarray(0, 10), () => stop.abort());
    return true;
  };
  await assert.rejects(fetchFile({ ...download, signal: stop.signal }, path), failsWith("interrupted"));
  const later = new AbortController();
  mirror.misbehave = (_path, _request, response) => {
    response.writeHead(503).end(() => setTimeout(() => later.abort(), 20));
    return true;
  };
  const patience = { ...impatience, backoffMs: 60_000 };
  await assert.rejects(fetchFile({ ...download, patience, signal: later.signal }, path), failsWith("interrupted"));
  assert.deepEqual(await filesBelow(directory), []);
});

test("fetchFile: replaces nothing by a failed download", async (t) => {
  const { mirror, path, download } = await serving(t);
  await fetchFile(download, path);
  mirror.files.set("/file", content.with(0, 99));
  await assert.rejects(fetchFile(download, path), failsWith("checksum-mismatch"));
  assert.deepEqual(new Uint8Array(await readFile(path)), content);
});

test("fetchBytes: is bounded where no size is promised", async (t) => {
  const { download } = await serving(t);
  const { size: _, sha256: __, ...open } = download;
  assert.equal((await fetchBytes({ ...open, mostBytes: content.length })).length, content.length);
  await assert.rejects(fetchBytes({ ...open, mostBytes: 1000 }), failsWith("checksum-mismatch"));
});
