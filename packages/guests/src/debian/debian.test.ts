import assert from "node:assert/strict";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readDeb } from "../formats/deb.ts";
import { readTar } from "../formats/tar.ts";
import { makeDeb } from "../testing/loopback-mirror.ts";
import { scratch } from "../testing/scratch.ts";
import { BuildConsole, type BuildEvent, readLine } from "./build-console.ts";
import { conffilePaths, dpkgDatabase, extendedStates, type UnpackedPackage } from "./database.ts";
import { preinstList } from "./initramfs.ts";
import { PayloadWriter, unpackInto } from "./payload.ts";
import { settings } from "./settings.ts";

const encoder = new TextEncoder();
const member = (name: string, text: string) => ({ name, mode: 0o755, content: encoder.encode(text) });
const libc: UnpackedPackage = {
  control: "Package: libc6\nVersion: 2\nArchitecture: riscv64\nMulti-Arch: same\nDescription: C\n more\n",
  members: [
    member("preinst", "#!/bin/sh\ntrue\n"),
    member("triggers", "interest-noawait ldconfig\ninterest /usr/lib\nactivate x\n"),
  ],
  paths: ["/.", "/usr", "/etc/a"],
  conffileSums: new Map([["/etc/a", "0cc175b9c0f1b6a831c399e269772661"]]),
};
const dpkg: UnpackedPackage = {
  control: "Package: dpkg\nVersion: 1\nArchitecture: riscv64",
  members: [member("triggers", "interest ldconfig\n")],
  paths: ["/."],
  conffileSums: new Map(),
};

test("dpkgDatabase: says unpacked of every package, with the sums of its configuration files", () => {
  const files = new Map(
    dpkgDatabase([libc, dpkg]).map(({ name, content }) => [name, new TextDecoder().decode(content)]),
  );
  assert.equal(
    files.get("var/lib/dpkg/status"),
    "Package: libc6\nStatus: install ok unpacked\nVersion: 2\nArchitecture: riscv64\nMulti-Arch: same\nDescription: C\n more\n" +
      "Conffiles:\n /etc/a 0cc175b9c0f1b6a831c399e269772661\n\n" +
      "Package: dpkg\nStatus: install ok unpacked\nVersion: 1\nArchitecture: riscv64\n\n",
  );
  assert.equal(files.get("var/lib/dpkg/info/libc6:riscv64.list"), "/.\n/usr\n/etc/a\n");
  assert.ok(files.has("var/lib/dpkg/info/libc6:riscv64.preinst"));
  assert.equal(files.get("var/lib/dpkg/triggers/ldconfig"), "libc6:riscv64/noawait\ndpkg\n");
  assert.equal(files.get("var/lib/dpkg/triggers/File"), "/usr/lib libc6:riscv64\n");
  assert.equal(files.get("var/lib/dpkg/info/format"), "1\n");
});

test("conffilePaths: leaves out what is to be removed", () => {
  assert.deepEqual(conffilePaths([member("conffiles", "/etc/a\nremove-on-upgrade /etc/b\n /etc/c \n\n")]), [
    "/etc/a",
    "/etc/c",
  ]);
  assert.deepEqual(conffilePaths([]), []);
});

test("extendedStates: marks what nobody asked for", () => {
  const packages = [{ name: "apt" }, { name: "libc6" }];
  assert.equal(
    extendedStates(packages, new Set(["apt"]), "riscv64"),
    "Package: libc6\nArchitecture: riscv64\nAuto-Installed: 1\n\n",
  );
});

test("preinstList: leaves out scripts that do nothing on a fresh installation", () => {
  const helper = 'dpkg-maintscript-helper rm_conffile /etc/a 1.2\\~ -- "$@"\n';
  const of = (script: string) =>
    preinstList([{ ...dpkg, members: [member("preinst", `#!/bin/sh\nset -e\n\n${script}`)] }]);
  assert.equal(of(`# old\n${helper}${helper}`), "");
  for (const script of [
    `${helper}rm /etc/b\n`,
    `${helper.trim()}; touch /a\n`,
    'dpkg-maintscript-helper a `b` -- "$@"\n',
  ]) {
    assert.equal(of(script), "dpkg dpkg\n", script);
  }
});

test("preinstList: starts with the package that makes the users", () => {
  const base = {
    ...dpkg,
    control: "Package: base-passwd\nArchitecture: riscv64",
    members: [member("preinst", "true\n")],
  };
  assert.equal(preinstList([dpkg, libc, base]), "base-passwd base-passwd\nlibc6 libc6:riscv64\n");
});

test("PayloadWriter: writes each directory once, parents first, and follows aliases", async (t) => {
  const path = join(await scratch(t), "payload.tar");
  const file = await open(path, "w");
  const writer = new PayloadWriter(file, 1000);
  await writer.alias("bin", "usr/bin");
  const files = [
    { name: "./bin", type: "link" as const, target: "usr/bin" },
    { name: "./usr/", type: "directory" as const, mode: 0o700 },
    { name: "./etc/deep/a", content: encoder.encode("a"), mode: 0o640, uid: 3, modified: 5 },
    { name: "./usr/bin/b", type: "hardlink" as const, target: "./etc/deep/a" },
  ];
  const control = { conffiles: "/etc/deep/a\n" };
  const bytes = makeDeb({ name: "x", files, control });
  const deb = await readDeb({ size: bytes.length, read: async (at, length) => bytes.subarray(at, at + length) });
  const unpacked = await unpackInto(writer, deb);
  await writer.end();
  await file.close();
  const one = async function* () {
    yield new Uint8Array(await readFile(path));
  };
  const entries = [];
  for await (const { name, type, mode, uid, modified, target } of readTar(one()))
    entries.push({ name, type, mode, uid, modified, target });
  assert.deepEqual(
    entries.map(({ name, type }) => `${type} ${name}`),
    [
      "directory usr",
      "directory usr/bin",
      "link bin",
      "directory etc",
      "directory etc/deep",
      "file etc/deep/a",
      "hardlink usr/bin/b",
    ],
  );
  assert.deepEqual(entries[5], { name: "etc/deep/a", type: "file", mode: 0o640, uid: 3, modified: 5, target: "" });
  assert.equal(entries[6]?.target, "etc/deep/a");
  assert.equal(entries[0]?.modified, 1000);
  assert.deepEqual(unpacked.paths, ["/.", "/bin", "/usr", "/etc/deep/a", "/usr/bin/b"]);
  assert.deepEqual([...unpacked.conffileSums], [["/etc/deep/a", "0cc175b9c0f1b6a831c399e269772661"]]);
});

test("readLine: understands the building guest and dpkg", () => {
  const table: [string, BuildEvent | undefined][] = [
    ["bulkhead-build: step unpack", { kind: "step", name: "unpack" }],
    ["bulkhead-build: sectors 12", { kind: "read", bytes: 6144 }],
    ["[  1.2] x bulkhead-build: failed: mke2fs says no", { kind: "failed", why: "mke2fs says no" }],
    ["bulkhead-build: done", { kind: "done" }],
    ["bulkhead-build: chatter", undefined],
    ["Setting up libc6:riscv64 (2.41-12) ...", { kind: "setting-up", name: "libc6" }],
    ["Unpacking g++-14 (14.2.0-19) ...", { kind: "unpacking", name: "g++-14" }],
    ["Setting up the console", undefined],
  ];
  for (const [line, event] of table) assert.deepEqual(readLine(line), event, line);
});

test("BuildConsole: joins bytes into lines, keeps the first failure and the end of the log", () => {
  const events: BuildEvent[] = [];
  const heard = new BuildConsole((event) => events.push(event));
  for (const byte of encoder.encode("bulkhead-build: step format\r\nmüll\nbulkhead-build: failed: a\n")) {
    heard.take(Uint8Array.of(byte));
  }
  heard.take(encoder.encode("bulkhead-build: failed: b\nlast\n\n"));
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["step", "failed", "failed"],
  );
  assert.equal(heard.failure, "a");
  assert.equal(heard.lastLine, "last");
  assert.match(heard.log, /müll/);
  assert.equal(heard.done, false);
  heard.take(new Uint8Array(1 << 20).fill(0x78));
  assert.ok(heard.log.length <= 1 << 16);
});

test("settings: name the mirror for apt, and no file twice", async () => {
  const all = await settings("http://mirror.invalid/debian");
  const names = all.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.every((name) => !name.startsWith("/")));
  const apt = all.find(({ name }) => name.endsWith("debian.sources"));
  assert.match(String(apt?.content), /^URIs: http:\/\/mirror\.invalid\/debian$/m);
});
