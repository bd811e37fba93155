import assert from "node:assert/strict";
import { test } from "node:test";
import { compareVersions, versionHolds } from "./version.ts";

/** Each older than the next. */
const ascending = [
  ["0~rc1", "0", "0.1"],
  ["1.0~~", "1.0~~a", "1.0~", "1.0", "1.0a", "1.0+b1", "1.0.1"],
  ["1.0-1~deb13u1", "1.0-1", "1.0-1+b1", "1.0-1+deb13u1", "1.0-1.1", "1.0-2", "1.0-10"],
  ["9.9-9", "1:0", "1:1.37.0-6+b9", "2:0~", "10:0"],
  ["1.2.3-4", "1.2.3-4a", "1.2.3-5"],
  ["2.9", "2.10", "2.41-12+deb13u4", "2.41-12+deb13u10"],
  ["a", "b", "ba"],
  ["6.12.94+deb13", "6.12.107+deb13"],
  ["1a", "1+"],
];

const equal = [
  ["1.0", "0:1.0"],
  ["1.0", "1.0-0"],
  ["1.0-01", "1.0-1"],
  ["001.2", "1.2"],
  ["1.0", "1.00"],
];

test("compareVersions: orders as Debian Policy says", () => {
  for (const chain of ascending) {
    for (const [index, older] of chain.entries()) {
      assert.equal(compareVersions(older, older), 0);
      for (const newer of chain.slice(index + 1)) {
        assert.ok(compareVersions(older, newer) < 0, `${older} < ${newer}`);
        assert.ok(compareVersions(newer, older) > 0, `${newer} > ${older}`);
      }
    }
  }
  for (const [a = "", b = ""] of equal) assert.equal(compareVersions(a, b), 0, `${a} = ${b}`);
});

test("compareVersions: takes a dash in the upstream version and a colon after the epoch", () => {
  assert.ok(compareVersions("1-2-3", "1-2-4") < 0);
  assert.ok(compareVersions("1-2-3", "1-3-1") < 0);
  assert.ok(compareVersions("1:2:3-1", "1:2:4-1") < 0);
});

test("versionHolds: knows every relation", () => {
  const table: [string, string, string, boolean][] = [
    ["1", "<<", "2", true],
    ["2", "<<", "2", false],
    ["2", "<=", "2", true],
    ["2", "=", "2", true],
    ["2", ">=", "3", false],
    ["3", ">>", "2", true],
    ["2", ">>", "2", false],
    ["2", "<", "2", true],
    ["2", ">", "2", true],
    ["2", "!=", "3", false],
  ];
  for (const [version, relation, wanted, holds] of table) {
    assert.equal(versionHolds(version, relation, wanted), holds, `${version} ${relation} ${wanted}`);
  }
});
