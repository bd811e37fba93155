/** A host that is killed while it saves leaves a whole snapshot: the one before, or the new one. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { PAGE_BYTES } from "./format.ts";
import { closeSnapshot, openSnapshot, PageReader } from "./reader-node.ts";

/** SNAPSHOT_KILLS=200 is the long form. */
const KILLS = Number(process.env.SNAPSHOT_KILLS ?? 6);
const WRITER = fileURLToPath(new URL("./testing/commit-forever-node.ts", import.meta.url));

/** Number of the snapshot in a file, all of whose pages have to be its own. */
function numberOf(path: string): number {
  const snapshot = openSnapshot(path);
  const reader = new PageReader(snapshot.layers);
  const page = new Uint8Array(PAGE_BYTES);
  const number = Number(snapshot.meta.id);
  for (const ref of snapshot.indices[0]) {
    reader.load(ref, page);
    assert.equal(new DataView(page.buffer).getUint32(0), number);
  }
  closeSnapshot(snapshot);
  return number;
}

test(`SnapshotWriter.commit: ${KILLS} killed writers leave the last snapshot that they have committed, whole`, async () => {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-killed-"));
  const path = join(folder, "snapshot");
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const writer = spawn(process.execPath, [WRITER, path], { stdio: ["ignore", "pipe", "inherit"] });
      let said = "";
      const spoken = Promise.withResolvers<void>();
      writer.stdout.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        spoken.resolve();
      });
      const ended = new Promise((resolve) => writer.on("close", resolve));
      await spoken.promise;
      // Anywhere within one of the commits that follow.
      const waitMs = Math.random() * 30;
      await delay(waitMs);
      writer.kill("SIGKILL");
      await ended;
      const last = Number(/committed (\d+)\n$/.exec(said)?.[1]);
      const found = numberOf(path);
      assert.ok(
        found === last || found === last + 1,
        `${found} is there, ${last} was committed, killed after ${waitMs} ms`,
      );
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
