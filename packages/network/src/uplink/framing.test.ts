import assert from "node:assert/strict";
import { test } from "node:test";
import { frameBytes, frameOf, noOffload } from "../frame.ts";
import { seededRandom } from "../testing/random.ts";
import { encodePrefix, FrameParser } from "./framing.ts";

const offload = { checksumStart: 34, checksumOffset: 16, segmentation: 1, segmentBytes: 1448, headerBytes: 66 };

for (const offloads of [true, false]) {
  test(`FrameParser: finds frames ${offloads ? "with" : "without"} offloads, however the stream is cut`, (t) => {
    const random = seededRandom(t);
    const sent = Array.from({ length: 50 }, (_, i) => new Uint8Array(60 + random(2000)).fill(i));
    const stream = Buffer.concat(
      sent.flatMap((bytes) => [encodePrefix(frameOf(bytes, offloads ? offload : noOffload), offloads), bytes]),
    );
    const parser = new FrameParser(offloads);
    const got = [];
    for (let at = 0; at < stream.length; ) {
      const piece = 1 + random(3000);
      got.push(...(parser.feed(new Uint8Array(stream.subarray(at, at + piece))) ?? assert.fail()));
      at += piece;
    }
    assert.deepEqual(
      got.map((frame) => Buffer.from(frameBytes(frame))),
      sent.map((bytes) => Buffer.from(bytes)),
    );
    assert.deepEqual(got[0].offload, offloads ? offload : noOffload);
  });
}

test("FrameParser: gives up on lengths and offloads that cannot be", () => {
  assert.equal(new FrameParser(false).feed(Uint8Array.of(0, 0, 0, 13)), undefined);
  assert.equal(new FrameParser(false).feed(Uint8Array.of(0, 1, 0, 18)), undefined);
  const bytes = new Uint8Array(60);
  const wrong = { ...offload, checksumStart: 50, checksumOffset: 20 };
  const stream = Buffer.concat([encodePrefix(frameOf(bytes, wrong), true), bytes]);
  assert.equal(new FrameParser(true).feed(new Uint8Array(stream)), undefined);
});
