import assert from "node:assert/strict";
import { test } from "node:test";
import { parseVsock } from "./vsock-option.ts";

test("parseVsock: takes a path, and an address of the guest's", () => {
  assert.deepEqual(parseVsock("/tmp/v.sock"), { path: "/tmp/v.sock", cid: 3 });
  assert.deepEqual(parseVsock("v,cid=4294967294"), { path: "v", cid: 4294967294 });
});

test("parseVsock: refuses what is neither", () => {
  for (const text of ["", ",cid=3", "v,cid=2", "v,cid=4294967295", "v,cid=", "v,cid=a", "v,port=3", "v,cid=3,cid=4"]) {
    assert.throws(() => parseVsock(text), /Expected PATH/, text);
  }
});
