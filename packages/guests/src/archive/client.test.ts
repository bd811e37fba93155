import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { generateKey, readKey } from "openpgp";
import { ImageError, type ImageErrorCode } from "../error.ts";
import { impatience, LoopbackMirror, makeDeb, testKeys } from "../testing/loopback-mirror.ts";
import { filesBelow, scratch } from "../testing/scratch.ts";
import { Archive } from "./client.ts";
import { knownKeys, parseKeyring, trixieFingerprints } from "./keyring.ts";

const packages = [
  { name: "a", fields: ["Depends: b+c"] },
  { name: "b+c", version: "1:2" },
];
const failsWith = (code: ImageErrorCode, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ImageError, String(error));
  assert.equal(error.code, code, error.message);
  if (message !== undefined) assert.match(error.message, message);
  return true;
};

async function serving(t: Parameters<typeof scratch>[0]) {
  const mirror = await LoopbackMirror.start(packages);
  t.after(() => mirror[Symbol.asyncDispose]());
  const directory = await scratch(t);
  const { publicKey } = await testKeys();
  const options = { mirrors: [mirror.address], directory, keys: [publicKey], patience: impatience };
  return { mirror, directory, options };
}

test("Archive.open: verifies the release and reads the index by its hash", async (t) => {
  const { mirror, options } = await serving(t);
  const archive = await Archive.open(options);
  assert.equal(archive.release.codename, "trixie");
  assert.equal(archive.index.find("b+c")?.version, "1:2");
  assert.ok(mirror.requests.some((path) => path.includes("/by-hash/SHA256/")));
});

test("Archive.open: goes without by-hash where the mirror lacks it", async (t) => {
  const { mirror, options } = await serving(t);
  for (const path of mirror.files.keys()) if (path.includes("by-hash")) mirror.files.delete(path);
  assert.equal((await Archive.open(options)).index.size, 2);
});

test("Archive.open: refuses a release signed by another key, changed after signing, or not signed", async (t) => {
  const { mirror, options } = await serving(t);
  const stranger = await generateKey({ userIDs: [{ name: "stranger" }], format: "armored" });
  const keys = [await readKey({ armoredKey: stranger.publicKey })];
  await assert.rejects(Archive.open({ ...options, keys }), failsWith("signature-invalid"));
  const path = "/dists/trixie/InRelease";
  const text = new TextDecoder().decode(mirror.files.get(path));
  mirror.files.set(path, new TextEncoder().encode(text.replace("Version: 13.0", "Version: 13.1")));
  await assert.rejects(Archive.open(options), failsWith("signature-invalid"));
  mirror.files.set(path, new TextEncoder().encode(text.slice(0, -200)));
  await assert.rejects(Archive.open(options), failsWith("signature-invalid"));
  mirror.files.set(path, new TextEncoder().encode("Origin: Debian\nCodename: trixie\n"));
  await assert.rejects(Archive.open(options), failsWith("signature-invalid"));
});

test("Archive.open: refuses another suite, an expired release and one without our architecture", async (t) => {
  const { mirror, options } = await serving(t);
  await mirror.publish(packages, (text) => text.replaceAll("trixie", "sid").replace("stable", "unstable"));
  await assert.rejects(Archive.open(options), failsWith("archive-invalid", /answers for sid/));
  await mirror.publish(packages, (text) => `Valid-Until: Sat, 09 Aug 2025 12:00:00 UTC\n${text}`);
  await assert.rejects(Archive.open(options), failsWith("archive-invalid", /expired/));
  await mirror.publish(packages, (text) => text.replace("riscv64", "amd64"));
  await assert.rejects(Archive.open(options), failsWith("archive-invalid", /riscv64/));
});

test("Archive.open: refuses an index that differs from the signed sum", async (t) => {
  const { mirror, options } = await serving(t);
  for (const [path, bytes] of mirror.files) if (path.includes("binary-")) mirror.files.set(path, bytes.toReversed());
  await assert.rejects(Archive.open(options), failsWith("checksum-mismatch"));
});

test("Archive.open: tries the next mirror where one fails, but not past a bad signature", async (t) => {
  const { mirror, options } = await serving(t);
  const empty = await LoopbackMirror.start();
  t.after(() => empty[Symbol.asyncDispose]());
  empty.files.clear();
  const archive = await Archive.open({ ...options, mirrors: [empty.address, mirror.address] });
  assert.equal(archive.mirror, mirror.address);
  await empty.publish(packages, (text) => text);
  empty.files.set("/dists/trixie/InRelease", new TextEncoder().encode("none"));
  const both = { ...options, mirrors: [empty.address, mirror.address] };
  await assert.rejects(Archive.open(both), failsWith("signature-invalid"));
  await assert.rejects(Archive.open({ ...options, mirrors: [`${mirror.address}/none`] }), failsWith("mirror-status"));
});

test("Archive.fetch: fetches each package once and keeps it", async (t) => {
  const { mirror, directory, options } = await serving(t);
  const archive = await Archive.open(options);
  const records = ["a", "b+c"].map((name) => archive.index.find(name)!);
  const seen: number[] = [];
  const paths = await archive.fetch(records, (taken) => seen.push(taken));
  assert.deepEqual(new Uint8Array(await readFile(paths[0]!)), new Uint8Array(makeDeb(packages[0]!)));
  assert.equal(seen.at(-1), records[0]!.size + records[1]!.size);
  assert.equal((await filesBelow(directory)).length, 2);
  const before = mirror.requests.length;
  await archive.fetch(records);
  assert.equal(mirror.requests.length, before);
  await writeFile(paths[0]!, "cut");
  await archive.fetch(records);
  assert.equal(mirror.requests.length, before + 1);
});

test("Archive.fetch: refuses a package with a wrong sum and leaves the cache as it was", async (t) => {
  const { mirror, directory, options } = await serving(t);
  const archive = await Archive.open(options);
  const [a, b] = ["a", "b+c"].map((name) => archive.index.find(name)!);
  await archive.fetch([b!]);
  const before = await filesBelow(directory);
  const path = `/${a!.filename}`;
  mirror.files.set(path, mirror.files.get(path)!.with(70, 1));
  await assert.rejects(archive.fetch([a!, b!]), failsWith("checksum-mismatch", /a_1_riscv64/));
  assert.deepEqual(await filesBelow(directory), before);
});

test("knownKeys: counts only keys whose fingerprint is known", async () => {
  const { publicKey } = await testKeys();
  assert.throws(() => knownKeys([publicKey]), failsWith("keyring-missing"));
  const fingerprints = { [publicKey.getFingerprint()]: "test" };
  assert.deepEqual(knownKeys([publicKey], fingerprints), [publicKey]);
  for (const fingerprint of Object.keys(trixieFingerprints)) assert.match(fingerprint, /^[0-9a-f]{40}$/);
});

test("parseKeyring: reads binary and armored keys, and refuses what holds none", async () => {
  const { publicKey } = await testKeys();
  assert.equal((await parseKeyring(publicKey.write() as Uint8Array, "binary")).length, 1);
  assert.equal((await parseKeyring(new TextEncoder().encode(publicKey.armor()), "armored")).length, 1);
  await assert.rejects(parseKeyring(new TextEncoder().encode("nothing"), "text"), failsWith("keyring-missing"));
});

test("Archive.open: reads the index of another architecture or suite where one is asked for", async (t) => {
  const { mirror, options } = await serving(t);
  const other = Archive.open({ ...options, architecture: "m68k" });
  await assert.rejects(other, failsWith("archive-invalid", /no main\/binary-m68k\/Packages/));
  await assert.rejects(Archive.open({ ...options, suite: "potato" }), failsWith("mirror-status"));
  assert.ok(mirror.requests.includes("/dists/potato/InRelease"));
});
