import assert from "node:assert/strict";
import { test } from "node:test";
import { ImageError } from "../error.ts";
import { PackageIndex } from "./package-index.ts";
import { batches, recommended, resolve } from "./resolve.ts";

const SUM = "0".repeat(64);

function index(...packages: string[]): PackageIndex {
  const found = new PackageIndex();
  for (const text of packages) {
    const lines = text.split(";").map((line) => line.trim());
    const [name, version = "1"] = (lines.shift() ?? "").split(" ");
    const rest = lines.length > 0 ? `\n${lines.join("\n")}` : "";
    found.add(
      `Package: ${name}\nVersion: ${version}\nArchitecture: all\nFilename: pool/${name}.deb\nSize: 1\nSHA256: ${SUM}${rest}`,
    );
  }
  return found;
}

const names = (found: PackageIndex, ...wanted: string[]) => resolve(found, wanted).map(({ name }) => name);

test("resolve: follows dependencies and pre-dependencies, circles included", () => {
  const found = index("a; Depends: b", "b; Pre-Depends: c", "c; Depends: a", "d");
  assert.deepEqual(names(found, "a"), ["a", "b", "c"]);
});

test("resolve: takes the first alternative that exists in a fitting version", () => {
  const found = index("a; Depends: missing | old (>= 2) | new", "old 1", "new");
  assert.deepEqual(names(found, "a"), ["a", "new"]);
});

test("resolve: is content with an alternative that is already chosen", () => {
  const found = index("a; Depends: x | y", "x", "y");
  assert.deepEqual(names(found, "a", "y"), ["a", "y"]);
});

test("resolve: takes providers of virtual packages, and only versioned ones where a version is asked", () => {
  const found = index("a; Depends: awk", "mawk; Provides: awk", "original-awk; Provides: awk");
  assert.deepEqual(names(found, "a"), ["a", "mawk"]);
  const versioned = index("a; Depends: v (>= 2)", "p; Provides: v", "q; Provides: v (= 1)", "r; Provides: v (= 3)");
  assert.deepEqual(names(versioned, "a"), ["a", "r"]);
  assert.deepEqual(names(index("x; Provides: y"), "y"), ["x"]);
});

test("resolve: takes the newest of several versions", () => {
  const [a] = resolve(index("a 1.9", "a 1.10", "a 1.2"), ["a"]);
  assert.equal(a?.version, "1.10");
});

test("resolve: names what is missing, and what it could have been", () => {
  const code = (expected: string, message: RegExp) => (error: unknown) => {
    assert.ok(error instanceof ImageError);
    assert.equal(error.code, expected);
    assert.match(error.message, message);
    return true;
  };
  assert.throws(() => names(index("python3", "perl"), "pyhton3"), code("package-missing", /did you mean python3\?/));
  const unmet = index("a; Depends: b (>= 2) | c", "b 1");
  assert.throws(() => names(unmet, "a"), code("dependency-unsatisfied", /a needs b \(>= 2\) \| c/));
});

test("resolve: refuses packages that conflict or break each other", () => {
  const found = index("a; Conflicts: b", "b 2", "c; Breaks: b (<< 2)", "d; Breaks: b (<= 2)");
  assert.throws(() => names(found, "a", "b"), /a 1 and b 2 cannot both be installed/);
  assert.deepEqual(names(found, "b", "c"), ["b", "c"]);
  assert.throws(() => names(found, "b", "d"), ImageError);
});

test("resolve: lets a package conflict with a virtual one that it provides itself", () => {
  const found = index("a; Provides: mta; Conflicts: mta");
  assert.deepEqual(names(found, "a"), ["a"]);
});

test("recommended: takes what can be installed, one step deep", () => {
  const found = index(
    "gcc; Recommends: headers | other, missing, unmet, clash",
    "headers; Recommends: manual",
    "manual",
    "unmet; Depends: missing",
    "clash; Conflicts: base",
    "base",
  );
  assert.deepEqual(recommended(found, ["gcc"], ["base", "gcc"]), ["headers"]);
});

test("batches: puts what a package pre-depends on, with its dependencies, before it", () => {
  const found = index(
    "init; Pre-Depends: systemd",
    "systemd; Pre-Depends: lib; Depends: dbus",
    "lib; Depends: c",
    "c",
    "dbus",
  );
  const order = batches(resolve(found, ["init"])).map((batch) => batch.map(({ name }) => name));
  assert.deepEqual(order, [["c", "dbus", "lib"], ["systemd"], ["init"]]);
});

test("batches: ends on circles of pre-dependencies, losing nothing", () => {
  const found = index("a; Pre-Depends: b", "b; Pre-Depends: a", "c; Depends: a");
  const order = batches(resolve(found, ["a", "c"]));
  assert.deepEqual(
    order
      .flat()
      .map(({ name }) => name)
      .sort(),
    ["a", "b", "c"],
  );
});
