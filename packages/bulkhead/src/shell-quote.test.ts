import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { quoteCommand, quoteWord } from "./shell-quote.ts";

test("quoteWord: leaves a shell nothing to interpret", () => {
  assert.equal(quoteWord("a b"), "'a b'");
  assert.equal(quoteWord(""), "''");
  assert.equal(quoteWord("it's"), "'it'\\''s'");
});

test("quoteCommand: gives a real shell back exactly the words", () => {
  const words = [
    "",
    " ",
    "'",
    "''",
    "a'b",
    "$HOME",
    "`id`",
    "\\",
    "\n",
    "*",
    "-n",
    '"',
    "é\u{1f600}",
    "!!",
    "#x",
    "a\tb",
  ];
  const output = execFileSync("sh", ["-c", quoteCommand(["printf", "%s\\0", ...words])], { encoding: "utf8" });
  assert.deepEqual(output.split("\0").slice(0, -1), words);
});
