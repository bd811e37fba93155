/** Keeps the documents true: every path that they name exists, and every name they put behind a path is in that file. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "..");

for (const document of ["README.md", ...globSync("docs/**/*.md", { cwd: root })]) {
  const text = readFileSync(join(root, document), "utf8");

  test(`${document}: every path it names exists`, () => {
    for (const [, path] of text.matchAll(/`((?:packages|tools|tests|docs)\/[\w./-]+)`/g)) {
      assert.ok(existsSync(join(root, path!)), `${document} names ${path}, which does not exist`);
    }
    for (const [, link] of text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)) {
      assert.ok(existsSync(join(root, dirname(document), link!)), `${document} links to ${link}, which does not exist`);
    }
  });

  test(`${document}: every name behind a path is in that file`, () => {
    for (const [, name, path] of text.matchAll(/`(\w+)(?:\(\))?` \(`((?:packages|tools|tests)\/[\w./-]+\.ts)`\)/g)) {
      const found = readFileSync(join(root, path!), "utf8").includes(name!);
      assert.ok(found, `${document} says that ${path} has ${name}, which it does not`);
    }
  });
}
