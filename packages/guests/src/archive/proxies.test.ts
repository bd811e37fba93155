import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { LoopbackMirror } from "../testing/loopback-mirror.ts";
import { fetchBytes } from "./download.ts";
import { useProxies } from "./proxies.ts";

test("useProxies: sends requests through the environment's proxy, but not those to this host", async (t) => {
  const mirror = await LoopbackMirror.start();
  t.after(() => mirror[Symbol.asyncDispose]());
  mirror.files.set("/file", new Uint8Array(3));
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end("by proxy");
  });
  proxy.on("connect", (request, socket) => {
    asked.push(request.url ?? "");
    socket.end("HTTP/1.1 502 no\r\n\r\n");
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  t.after(() => proxy.close());
  const restore = useProxies({ HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
  t.after(restore);
  const patience = { retries: 0, backoffMs: 1, stallMs: 2000 };
  await fetchBytes({ url: "http://mirror.invalid/debian/x", patience }).catch(() => {});
  assert.equal(asked.length, 1);
  assert.match(asked[0] ?? "", /mirror\.invalid/);
  assert.equal((await fetchBytes({ url: `${mirror.address}/file`, patience })).length, 3);
  assert.equal(asked.length, 1);
});

test("useProxies: changes nothing without a proxy", () => {
  useProxies({ NO_PROXY: "*" })();
});
