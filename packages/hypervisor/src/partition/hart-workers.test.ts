import assert from "node:assert/strict";
import { test } from "node:test";
import { type HartThreadStart, Machine, TranslatingProcessor } from "@bulkhead/machine";
import type { HostError } from "../host-error.ts";
import { tiny, tinyImage } from "../testing/tiny-guest.ts";
import { HartWorkers } from "./hart-workers-node.ts";
import { TranslatorThread } from "./translator-thread-node.ts";

/** What a machine of two harts asks for. */
function askedFor(): HartThreadStart {
  const starts: HartThreadStart[] = [];
  new Machine({
    ramSize: 64 * 1024 * 1024,
    harts: 2,
    boot: { kernel: tinyImage(tiny.loop) },
    processor: (memory, harts) => new TranslatingProcessor(memory, harts),
    onOutput: () => {},
    threads: { doorbell: new SharedArrayBuffer(4), spawn: (start) => starts.push(start) },
  });
  return starts[0]!;
}

test("HartWorkers: tells of a thread that breaks down, and all are gone after the end", async () => {
  const failed = Promise.withResolvers<HostError>();
  const translator = new TranslatorThread(3, failed.resolve);
  const workers = new HartWorkers(false, translator, undefined, failed.resolve);
  const start = askedFor();
  workers.start(start);
  workers.start({ ...start, hart: 2, crew: { ...start.crew, mailboxes: new SharedArrayBuffer(4) } });
  const error = await failed.promise;
  assert.equal(error.code, "partition-failed");
  assert.match(error.message, /broke down/);
  await workers.end();
  await translator.end();
});
