import assert from "node:assert/strict";
import { test } from "node:test";
import { ImageError } from "../error.ts";
import { PackageIndex } from "./package-index.ts";

const SUM = "ab".repeat(32);
const entry = (name: string, more = "") =>
  `Package: ${name}\nVersion: 1\nArchitecture: riscv64\n${more}Filename: pool/${name}.deb\nSize: 12\nSHA256: ${SUM}`;

async function* pieces(text: string, length: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

test("PackageIndex: reads a stream of paragraphs, however it is cut", async () => {
  const text = `${entry("a", "Essential: yes\n")}\n\n${entry("ö", "Priority: required\n")}\n\n${entry("c", "Provides: v,\n w (= 2)\n")}\n`;
  for (const length of [1, 10, 10_000]) {
    const index = await new PackageIndex().read(pieces(text, length));
    assert.equal(index.size, 3);
    assert.deepEqual(
      index.required().map(({ name }) => name),
      ["a", "ö"],
    );
    assert.deepEqual(
      index.providers("w").map(({ name }) => name),
      ["c"],
    );
    assert.equal(index.find("a")?.size, 12);
    assert.equal(index.find("b"), undefined);
  }
});

test("PackageIndex: refuses entries whose file name leaves the mirror or whose sum is none", () => {
  const index = new PackageIndex();
  index.add(entry("up").replace("pool/", "../"));
  index.add(entry("root").replace("pool/", "/"));
  index.add(entry("sum").replace(SUM, "abc"));
  index.add(entry("size").replace("Size: 12", "Size: -"));
  index.add("Package: bare");
  for (const name of ["up", "root", "sum", "size", "bare"]) {
    assert.throws(
      () => index.find(name),
      (error) => error instanceof ImageError && error.code === "archive-invalid",
      name,
    );
  }
});
