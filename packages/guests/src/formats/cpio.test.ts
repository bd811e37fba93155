import assert from "node:assert/strict";
import { test } from "node:test";
import { type CpioEntry, nodeType, readCpio, writeCpio } from "./cpio.ts";
import { FormatError } from "./format-error.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("readCpio: gives back what writeCpio was given", () => {
  const entries: CpioEntry[] = [
    { name: "dev", mode: nodeType.directory | 0o755, uid: 0, gid: 0 },
    { name: "dev/console", mode: nodeType.character | 0o600, uid: 0, gid: 0, device: { major: 5, minor: 1 } },
    { name: "größe", mode: nodeType.file | 0o644, uid: 1000, gid: 7, content: bytes("12345") },
    { name: "link", mode: nodeType.link | 0o777, uid: 0, gid: 0, content: bytes("dev/console") },
  ];
  assert.deepEqual(readCpio(writeCpio(entries)), entries);
});

test("writeCpio: pads to 512 bytes and aligns every part to 4", () => {
  const archive = writeCpio([{ name: "ab", mode: nodeType.file, content: bytes("xyz") }]);
  assert.equal(archive.length % 512, 0);
  // Header 110, name 3, padding 3: the content starts at 116.
  assert.equal(new TextDecoder().decode(archive.subarray(116, 119)), "xyz");
  assert.equal(new TextDecoder().decode(archive.subarray(120, 126)), "070701");
});

test("readCpio: survives random damage with a FormatError at most", () => {
  const archive = writeCpio([
    { name: "a", mode: nodeType.file, content: bytes("content") },
    { name: "b", mode: nodeType.directory },
  ]);
  const seed = (Math.random() * 2 ** 32) >>> 0;
  let state = seed || 1;
  const random = (below: number) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  for (let round = 0; round < 500; round++) {
    const damaged = archive.slice(0, random(8) === 0 ? random(archive.length) : archive.length);
    for (let flip = 0; flip < 3 && damaged.length > 0; flip++) damaged[random(damaged.length)] = random(256);
    try {
      readCpio(damaged);
    } catch (error) {
      assert.ok(error instanceof FormatError, `seed ${seed}: ${error}`);
    }
  }
});
