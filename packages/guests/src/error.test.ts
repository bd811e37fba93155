import assert from "node:assert/strict";
import { test } from "node:test";
import { asImageError, ImageError } from "./error.ts";

test("asImageError: gives file-system failures a code and a sentence, through causes", () => {
  const inner = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  const error = asImageError(new Error("outer", { cause: inner }), "build debian");
  assert.ok(error instanceof ImageError);
  assert.equal(error.code, "disk-full");
  assert.match(error.message, /^build debian: there is no space left/);
  assert.equal(
    (asImageError(Object.assign(new Error(), { code: "EROFS" }), "x") as ImageError).code,
    "cache-unwritable",
  );
});

test("asImageError: takes an abort for an interruption and leaves all else alone", () => {
  const aborted = asImageError(new DOMException("stop", "AbortError"), "build");
  assert.equal((aborted as ImageError).code, "interrupted");
  const own = new ImageError("no-network", "a");
  assert.equal(asImageError(own, "x"), own);
  const other = new TypeError("bug");
  assert.equal(asImageError(other, "x"), other);
});
