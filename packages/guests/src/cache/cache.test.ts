import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ImageError } from "../error.ts";
import { filesBelow, scratch } from "../testing/scratch.ts";
import { cacheDirectory } from "./directory.ts";
import { withLock } from "./lock.ts";
import { replaceDirectory } from "./replace-directory.ts";
import { PARTIAL, replaceFile } from "./replace-file.ts";
import { sweep } from "./sweep.ts";

test("cacheDirectory: follows its own variable, then XDG, then the home directory", () => {
  assert.equal(cacheDirectory({ BULKHEAD_CACHE: "/own", XDG_CACHE_HOME: "/xdg", HOME: "/home/u" }), "/own");
  assert.equal(cacheDirectory({ XDG_CACHE_HOME: "/xdg", HOME: "/home/u" }), "/xdg/bulkhead");
  assert.equal(cacheDirectory({ XDG_CACHE_HOME: "relative", HOME: "/home/u" }), "/home/u/.cache/bulkhead");
});

test("replaceFile: shows a file only when it is whole", async (t) => {
  const directory = await scratch(t);
  const path = join(directory, "deep", "file");
  await replaceFile(path, "write", async (handle) => {
    await handle.writeFile("first");
    assert.deepEqual(
      (await filesBelow(directory)).filter((name) => !name.includes(PARTIAL)),
      [],
    );
  });
  const failing = replaceFile(path, "write", async (handle) => {
    await handle.writeFile("half");
    throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  });
  await assert.rejects(failing, (error) => error instanceof ImageError && error.code === "disk-full");
  assert.equal(await readFile(path, "utf8"), "first");
  assert.deepEqual(await filesBelow(directory), ["deep/file"]);
});

test("replaceDirectory: swaps whole directories and leaves the old one on failure", async (t) => {
  const directory = await scratch(t);
  const path = join(directory, "image");
  const fill = (text: string) => (partial: string) => writeFile(join(partial, "file"), text);
  await replaceDirectory(path, "build", fill("one"));
  await replaceDirectory(path, "build", fill("two"));
  await assert.rejects(
    replaceDirectory(path, "build", async (partial) => {
      await fill("three")(partial);
      throw new Error("broken");
    }),
    /broken/,
  );
  assert.equal(await readFile(join(path, "file"), "utf8"), "two");
  assert.deepEqual(await filesBelow(directory), ["image/file"]);
});

test("sweep: removes work in progress and nothing else", async (t) => {
  const cache = await scratch(t);
  await mkdir(join(cache, "images", `a${PARTIAL}1-x-0`), { recursive: true });
  await mkdir(join(cache, "images", "a"));
  await writeFile(join(cache, "images", `a${PARTIAL}1-x-0`, "file"), "");
  await writeFile(join(cache, "images", "a", "file"), "");
  await sweep(cache, ["images", "absent"]);
  assert.deepEqual(await filesBelow(cache), ["images/a/file"]);
});

test("withLock: lets one work at a time, also within a process", async (t) => {
  const path = join(await scratch(t), "lock");
  const order: string[] = [];
  const work = (name: string) =>
    withLock(path, async () => {
      order.push(`${name} in`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push(`${name} out`);
    });
  await Promise.all([work("a"), work("b")]);
  assert.equal(order.length, 4);
  assert.equal(order[0]?.[0], order[1]?.[0]);
});

test("withLock: is freed by an error, and waiting can be interrupted", async (t) => {
  const path = join(await scratch(t), "lock");
  await assert.rejects(
    withLock(path, async () => {
      throw new Error("mine");
    }),
    /mine/,
  );
  await withLock(path, async () => {
    const stop = new AbortController();
    const waiting = withLock(path, async () => {}, { signal: stop.signal, onWait: () => stop.abort() });
    await assert.rejects(waiting, (error) => error instanceof ImageError && error.code === "interrupted");
  });
});

test("withLock: ends with a process that is killed", async (t) => {
  const path = join(await scratch(t), "lock");
  const module = new URL("./lock.ts", import.meta.url).href;
  const code = `import { withLock } from ${JSON.stringify(module)};
    await withLock(${JSON.stringify(path)}, () => {
      // Nothing refers to this promise, and garbage is collected: the lock has to hold nevertheless.
      gc();
      console.log("held");
      return new Promise(() => setInterval(gc, 1));
    });`;
  const child = spawn(process.execPath, ["--expose-gc", "--input-type=module", "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  let waited = false;
  const mine = withLock(path, async () => "mine", {
    onWait: () => {
      waited = true;
      child.kill("SIGKILL");
    },
  });
  assert.equal(await mine, "mine");
  assert.ok(waited);
});

test("withLock: says when the cache cannot be written", {
  skip: process.getuid?.() === 0 && "root may write everywhere",
}, async (t) => {
  const directory = await scratch(t);
  await chmod(directory, 0o500);
  const locked = withLock(join(directory, "lock"), async () => {});
  await assert.rejects(locked, (error) => error instanceof ImageError && error.code === "cache-unwritable");
});

test("withLock: says when the cache is no directory", async (t) => {
  const file = join(await scratch(t), "file");
  await writeFile(file, "");
  const locked = withLock(join(file, "lock"), async () => {});
  await assert.rejects(locked, (error) => error instanceof ImageError && error.code === "cache-unwritable");
});
