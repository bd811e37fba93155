import assert from "node:assert/strict";
import { test } from "node:test";
import { parseParagraph, parseParagraphs, words } from "./deb822.ts";
import { formatRelation, parseRelations } from "./relation.ts";

test("parseParagraph: lower-cases names, joins continuations and leaves comments out", () => {
  const fields = parseParagraph(
    "Package: a\n# comment\nDescription: short\n long one\n .\n more\nbroken\n ignored\nEmpty:\n",
  );
  assert.equal(fields.get("package"), "a");
  assert.equal(fields.get("description"), "short\nlong one\n.\nmore");
  assert.equal(fields.get("empty"), "");
  assert.equal(fields.size, 3);
});

test("parseParagraphs: splits on empty lines of any kind", () => {
  const found = parseParagraphs("\n\nA: 1\r\n\r\nB: 2\n   \nC: 3\n\n\n");
  assert.deepEqual(
    found.map((paragraph) => [...paragraph.entries()].flat()),
    [
      ["a", "1"],
      ["b", "2"],
      ["c", "3"],
    ],
  );
});

test("words: splits on any white space", () => {
  assert.deepEqual(words(" a\tb\n c "), ["a", "b", "c"]);
  assert.deepEqual(words(undefined), []);
});

test("parseRelations: reads alternatives, versions, architectures and qualifiers", () => {
  const text = "libc6 (>= 2.38), default-mta | mail-transport-agent, python3:any (<< 3.14~), a (=1:2-3) [riscv64], ,";
  assert.deepEqual(parseRelations(text), [
    [{ name: "libc6", relation: ">=", version: "2.38" }],
    [{ name: "default-mta" }, { name: "mail-transport-agent" }],
    [{ name: "python3", relation: "<<", version: "3.14~" }],
    [{ name: "a", relation: "=", version: "1:2-3" }],
  ]);
  assert.deepEqual(parseRelations(undefined), []);
  assert.deepEqual(parseRelations("!!!"), []);
});

test("formatRelation: writes what a control file has", () => {
  assert.equal(formatRelation({ name: "a" }), "a");
  assert.equal(formatRelation({ name: "a", relation: ">=", version: "1" }), "a (>= 1)");
});
