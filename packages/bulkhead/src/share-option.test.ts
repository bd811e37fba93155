import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { mountWord, parseShare } from "./share-option.ts";

test("parseShare: two paths, and settings behind colons or commas", () => {
  const plain = { path: resolve("src"), guestPath: "/src", readOnly: false, cache: "auto", thread: false };
  assert.deepEqual(parseShare("src:/src"), plain);
  assert.deepEqual(parseShare("src:/src:ro"), { ...plain, readOnly: true });
  assert.deepEqual(parseShare("src:/src,ro,cache=none"), { ...plain, readOnly: true, cache: "none" });
  assert.deepEqual(parseShare("src:/src,thread"), { ...plain, thread: true });
  assert.deepEqual(parseShare("src:/src:cache=always,rw"), { ...plain, cache: "always" });
  assert.deepEqual(parseShare("a\\:b:/c"), { ...plain, path: resolve("a:b"), guestPath: "/c" });
});

for (const text of ["src", "src:", ":/src", "src:guest", "src:/src:rx", "src:/src,cache=some", "src:/src:ro:/x"]) {
  test(`parseShare: refuses ${text}`, () => {
    assert.throws(() => parseShare(text), { code: "commander.invalidArgument" });
  });
}

test("mountWord: is one word whatever the path", () => {
  const share = parseShare("x:/a b/\\:ü'\"\\:ro");
  assert.equal(
    mountWord(share, 1),
    "systemd.mount-extra=share1:/a\\x20b/\\x3a\\xc3\\xbc\\x27\\x22\\x3aro:virtiofs:nofail",
  );
  assert.match(mountWord({ ...share, readOnly: true }, 0), /^systemd\.mount-extra=share0:.*:virtiofs:nofail,ro$/);
});
