import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ImageError } from "../error.ts";
import { candidates, findMirrors } from "./mirror.ts";
import { parseOneLine, parseSources, readSources } from "./sources-list.ts";

test("parseOneLine: reads deb lines with and without options", () => {
  const text = [
    "# deb http://off.invalid/debian trixie main",
    "deb http://a.invalid/debian bookworm main contrib # why",
    "deb [arch=amd64 signed-by=/k.gpg] https://b.invalid/x/ trixie main",
    "deb-src http://c.invalid/debian trixie main",
    "",
  ].join("\n");
  assert.deepEqual(parseOneLine(text), [
    { uri: "http://a.invalid/debian", suite: "bookworm" },
    { uri: "https://b.invalid/x/", suite: "trixie" },
  ]);
});

test("parseSources: multiplies addresses by suites and leaves disabled and source entries out", () => {
  const text = `Types: deb deb-src
URIs: http://a.invalid/debian
 http://b.invalid/debian
Suites: trixie trixie-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Enabled: no
Types: deb
URIs: http://off.invalid
Suites: trixie

Types: deb-src
URIs: http://src.invalid
Suites: trixie
`;
  assert.deepEqual(
    parseSources(text).map(({ uri, suite }) => `${uri} ${suite}`),
    [
      "http://a.invalid/debian trixie",
      "http://a.invalid/debian trixie-updates",
      "http://b.invalid/debian trixie",
      "http://b.invalid/debian trixie-updates",
    ],
  );
});

test("candidates: prefers the suite itself, then what looks like Debian's archive; never security archives", () => {
  const sources = [
    { uri: "https://tools.invalid/apt", suite: "stable" },
    { uri: "http://d.invalid/debian/", suite: "bookworm" },
    { uri: "http://d.invalid/debian", suite: "bookworm" },
    { uri: "http://d.invalid/debian-security", suite: "bookworm-security" },
    { uri: "http://s.invalid/security", suite: "trixie" },
    { uri: "http://t.invalid/pub", suite: "trixie" },
    { uri: "cdrom:[Debian]/", suite: "trixie" },
  ];
  assert.deepEqual(candidates(sources, "trixie"), [
    "http://t.invalid/pub",
    "http://d.invalid/debian",
    "https://tools.invalid/apt",
  ]);
});

test("findMirrors: takes the parameter, then the environment, then apt's sources", async (t) => {
  const apt = await mkdtemp(join(tmpdir(), "bulkhead-apt-"));
  t.after(() => rm(apt, { recursive: true }));
  const suite = "trixie";
  const none = { suite, aptDirectory: apt, environment: {} };
  await assert.rejects(findMirrors(none), (error) => error instanceof ImageError && error.code === "mirror-missing");
  await mkdir(join(apt, "sources.list.d"));
  await writeFile(join(apt, "sources.list"), "deb http://one.invalid/debian trixie main\n");
  await writeFile(
    join(apt, "sources.list.d", "two.sources"),
    "Types: deb\nURIs: http://two.invalid/debian\nSuites: trixie\n",
  );
  await writeFile(join(apt, "sources.list.d", "three.save"), "deb http://three.invalid/debian trixie main\n");
  assert.equal((await readSources(apt)).length, 2);
  assert.deepEqual(await findMirrors(none), ["http://one.invalid/debian", "http://two.invalid/debian"]);
  const environment = { BULKHEAD_MIRROR: "http://env.invalid/debian/" };
  assert.deepEqual(await findMirrors({ ...none, environment }), ["http://env.invalid/debian"]);
  assert.deepEqual(await findMirrors({ ...none, environment, mirror: "https://own.invalid/d" }), [
    "https://own.invalid/d",
  ]);
  await assert.rejects(findMirrors({ ...none, mirror: "ftp://own.invalid/" }), /not a mirror's address/);
});
