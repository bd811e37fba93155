import assert from "node:assert/strict";
import { test } from "node:test";
import { type RandomAccess, readAr, writeAr } from "./ar.ts";
import { FormatError } from "./format-error.ts";

const over = (bytes: Uint8Array): RandomAccess => ({
  size: bytes.length,
  read: async (at, length) => bytes.subarray(at, at + length),
});
const bytes = (text: string) => new TextEncoder().encode(text);

test("readAr: finds the members writeAr wrote, odd sizes included", async () => {
  const archive = writeAr([
    { name: "debian-binary", content: bytes("2.0\n") },
    { name: "odd", content: bytes("abc") },
    { name: "empty", content: bytes("") },
  ]);
  const members = await readAr(over(archive));
  assert.deepEqual(
    members.map(({ name, size, offset }) => [name, new TextDecoder().decode(archive.subarray(offset, offset + size))]),
    [
      ["debian-binary", "2.0\n"],
      ["odd", "abc"],
      ["empty", ""],
    ],
  );
});

test("readAr: takes the slash off names that end in one", async () => {
  const archive = writeAr([{ name: "data.tar.xz/", content: bytes("x") }]);
  assert.equal((await readAr(over(archive)))[0]?.name, "data.tar.xz");
});

test("readAr: refuses what is no archive, a broken header and a member past the end", async () => {
  await assert.rejects(readAr(over(bytes("!<arsch>\n"))), FormatError);
  const archive = writeAr([{ name: "a", content: bytes("1234") }]);
  await assert.rejects(readAr(over(archive.subarray(0, archive.length - 2))), /past the end/);
  await assert.rejects(readAr(over(archive.subarray(0, 40))), /header/);
  const broken = archive.slice();
  broken[8 + 48] = 0x78;
  await assert.rejects(readAr(over(broken)), /header/);
});

test("writeAr: refuses a name that does not fit", () => {
  assert.throws(() => writeAr([{ name: "a-name-of-16-byte", content: bytes("") }]), RangeError);
});
