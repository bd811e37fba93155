import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { errno, share, sharedFolder } from "../../testing/shared-folder-node.ts";
import { Errno } from "../errno.ts";
import { O_APPEND, Opcode, RenameFlag, ROOT_NODE } from "../fuse/protocol.ts";

test("files: what a guest writes is in the host's file, and the other way round", (t) => {
  const { client, at } = sharedFolder(t);
  const file = client.makeFile(ROOT_NODE, "file", 0o100640);
  assert.equal(client.write(file.node, 0, "hello, host"), 11);
  assert.equal(readFileSync(at("file"), "utf8"), "hello, host");
  assert.equal(lstatSync(at("file")).mode & 0o7777, 0o640);
  appendFileSync(at("file"), ", hello, guest");
  assert.equal(client.content(file.node), "hello, host, hello, guest");
  assert.equal(client.attributes(file.node).size, 25);
  writeFileSync(at("new"), "x".repeat(3000));
  assert.equal(client.lookup(ROOT_NODE, "new").size, 3000);
  assert.deepEqual(client.list(ROOT_NODE), ["file", "new"]);
  assert.deepEqual(client.list(ROOT_NODE, false), ["file", "new"]);
});

test("read, write: any split of memory, and the end of a file", (t) => {
  const { client, at } = sharedFolder(t, { pieceBytes: 77 });
  const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => i * 7);
  const { node } = client.makeFile(ROOT_NODE, "file");
  assert.equal(client.write(node, 100, bytes), 10_000);
  assert.deepEqual(new Uint8Array(readFileSync(at("file"))).subarray(100), bytes);
  assert.deepEqual(client.read(node, 5100, 1000), bytes.subarray(5000, 6000));
  assert.equal(client.read(node, 10_000, 1000).length, 100);
  assert.equal(client.read(node, 10_100, 1000).length, 0);
  assert.equal(client.read(node, 2 ** 52, 10).length, 0);
});

test("write: an open file that appends does so at the end that the host knows", (t) => {
  const { client, at } = sharedFolder(t);
  const { node } = client.makeFile(ROOT_NODE, "log");
  client.write(node, 0, "guest\n", O_APPEND);
  appendFileSync(at("log"), "host\n");
  client.write(node, 6, "guest\n", O_APPEND);
  assert.equal(readFileSync(at("log"), "utf8"), "guest\nhost\nguest\n");
});

test("change: sizes, modes and times", (t) => {
  const { client, at } = sharedFolder(t);
  const { node } = client.makeFile(ROOT_NODE, "file");
  client.write(node, 0, "0123456789");
  assert.equal(client.change(node, { size: 4 }).size, 4);
  assert.equal(client.change(node, { size: 8 }).size, 8);
  assert.equal(readFileSync(at("file"), "latin1"), "0123\0\0\0\0");
  assert.equal(client.change(node, { mode: 0o100755 }).mode, 0o100755);
  assert.equal(lstatSync(at("file")).mode, 0o100755);
  const time = 1_700_000_000_123_456_789n;
  assert.equal(client.change(node, { mtimeNs: time, atimeNs: 5n }).mtimeNs, time);
  assert.equal(client.lookup(ROOT_NODE, "file").mtimeNs, time);
  // Only the other one is set: this one stays as it is.
  assert.equal(client.change(node, { atimeNs: 7_000_000_001n }).mtimeNs, time);
  assert.equal(client.attributes(node).atimeNs, 7_000_000_001n);
  utimesSync(at("file"), 1, 2);
  assert.equal(client.attributes(node).mtimeNs, 2_000_000_000n);
});

test("names: bytes that are no UTF-8, and long ones", (t) => {
  const { client, path } = sharedFolder(t);
  const name = "\xff\x80\xe9 x\n";
  const { node } = client.makeFile(ROOT_NODE, name);
  client.write(node, 0, "odd");
  assert.equal(readFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from(name, "latin1")]), "utf8"), "odd");
  client.makeDirectory(ROOT_NODE, "d".repeat(255));
  assert.deepEqual(client.list(ROOT_NODE), ["d".repeat(255), name].sort());
  assert.throws(() => client.lookup(ROOT_NODE, "d".repeat(256)), errno(Errno.ENAMETOOLONG));
});

test("unlink: a file goes on for who has it open, and is forgotten with them", (t) => {
  const { client, files, at } = sharedFolder(t, { mostDescriptors: 4 });
  const { node } = client.makeFile(ROOT_NODE, "file");
  client.write(node, 0, "still here");
  client.unlink(ROOT_NODE, "file");
  assert.ok(!existsSync(at("file")));
  for (let i = 0; i < 20; i++) client.write(client.makeFile(ROOT_NODE, `other${i}`).node, 0, "x");
  assert.equal(client.content(node), "still here");
  client.write(node, 0, "or changed");
  assert.equal(client.change(node, { size: 2 }).nlink, 0);
  assert.equal(client.content(node), "or");
  const before = files.save().length;
  client.forget(node);
  assert.equal(files.save().length, before - 1);
  assert.throws(() => client.content(node), errno(Errno.ESTALE));
});

test("unlink: files in use without a name have a bound, and none of them is lost", (t) => {
  const { client, at } = sharedFolder(t, { mostUnlinked: 3 });
  const nodes = [0, 1, 2, 3].map((i) => client.makeFile(ROOT_NODE, `f${i}`).node);
  for (const [i, node] of nodes.entries()) client.write(node, 0, `content ${i}`);
  for (let i = 0; i < 3; i++) client.unlink(ROOT_NODE, `f${i}`);
  assert.throws(() => client.unlink(ROOT_NODE, "f3"), errno(Errno.ENFILE));
  assert.ok(existsSync(at("f3")));
  for (const [i, node] of nodes.entries()) assert.equal(client.content(node), `content ${i}`);
  client.forget(nodes[0]);
  client.unlink(ROOT_NODE, "f3");
});

test("unlink: of two names one is left, whichever was known last", (t) => {
  const { client, at } = sharedFolder(t, { mostDescriptors: 2 });
  const { node } = client.makeFile(ROOT_NODE, "a");
  client.write(node, 0, "both");
  assert.equal(client.link(node, ROOT_NODE, "b").node, node);
  assert.equal(client.attributes(node).nlink, 2);
  client.unlink(ROOT_NODE, "b");
  for (let i = 0; i < 5; i++) client.content(client.makeFile(ROOT_NODE, `other${i}`).node);
  assert.equal(client.content(node), "both");
  assert.equal(client.link(node, ROOT_NODE, "c").nlink, 2);
  assert.equal(statSync(at("a")).ino, statSync(at("c")).ino);
});

test("rename: over a file that is in use, into other directories, and not over anything when told so", (t) => {
  const { client, at } = sharedFolder(t);
  const a = client.makeFile(ROOT_NODE, "a");
  const b = client.makeFile(ROOT_NODE, "b");
  client.write(a.node, 0, "A");
  client.write(b.node, 0, "B");
  assert.throws(() => client.rename(ROOT_NODE, "a", ROOT_NODE, "b", RenameFlag.noReplace), errno(Errno.EEXIST));
  assert.throws(() => client.rename(ROOT_NODE, "a", ROOT_NODE, "b", RenameFlag.exchange), errno(Errno.EINVAL));
  client.rename(ROOT_NODE, "a", ROOT_NODE, "b");
  assert.equal(client.content(b.node), "B");
  assert.equal(client.lookup(ROOT_NODE, "b").node, a.node);
  const d = client.makeDirectory(ROOT_NODE, "d");
  const e = client.makeDirectory(d.node, "e");
  client.rename(ROOT_NODE, "b", e.node, "c", RenameFlag.noReplace);
  client.rename(ROOT_NODE, "d", ROOT_NODE, "f");
  assert.equal(readFileSync(at("f/e/c"), "utf8"), "A");
  assert.equal(client.walk("f/e/c").node, a.node);
  assert.throws(() => client.rename(ROOT_NODE, "f", e.node, "g"), errno(Errno.EINVAL));
  assert.throws(() => client.removeDirectory(ROOT_NODE, "f"), errno(39));
});

test("links: point where they say, and a guest reads what it wrote", (t) => {
  const { client, at } = sharedFolder(t);
  const link = client.makeLink(ROOT_NODE, "link", "../../some\xff/where");
  assert.equal(link.mode, 0o120777);
  assert.equal(client.readLink(link.node), "../../some\xff/where");
  assert.equal(readlinkSync(at("link"), "latin1"), "../../some\xff/where");
  assert.throws(() => client.change(link.node, { size: 1 }), errno(Errno.EINVAL));
  assert.equal(client.change(link.node, { mtimeNs: 3_000_000_000n }).mtimeNs, 3_000_000_000n);
});

test("lookup: changes of the host are seen", (t) => {
  const { client, at } = sharedFolder(t, { mostDescriptors: 2 });
  mkdirSync(at("d"));
  writeFileSync(at("d/x"), "one");
  const x = client.walk("d/x");
  renameSync(at("d/x"), at("d/y"));
  assert.throws(() => client.walk("d/x"), errno(Errno.ENOENT));
  assert.equal(client.walk("d/y").node, x.node);
  writeFileSync(at("d/x"), "two");
  assert.notEqual(client.walk("d/x").node, x.node);
  renameSync(at("d"), at("e"));
  assert.equal(client.content(client.walk("e/x").node), "two");
  assert.equal(client.content(x.node), "one");
  rmSync(at("e"), { recursive: true });
  assert.throws(() => client.attributes(client.walk("e").node), errno(Errno.ENOENT));
});

test("nodes: a file that was replaced while nobody looked is stale, not another one", (t) => {
  const { client, at } = sharedFolder(t, { mostDescriptors: 1 });
  writeFileSync(at("a"), "old");
  const { node } = client.lookup(ROOT_NODE, "a");
  writeFileSync(at("b"), "new");
  renameSync(at("b"), at("a"));
  assert.throws(() => client.content(node), errno(Errno.ESTALE));
  assert.equal(client.content(client.lookup(ROOT_NODE, "a").node), "new");
});

test("nodes: a file in a lower layer stays the same when its first change copies it up", (t) => {
  const { path, at } = sharedFolder(t);
  for (const name of ["lower", "upper", "work", "merged"]) mkdirSync(at(name));
  writeFileSync(at("lower/f"), "below", { mode: 0o600 });
  writeFileSync(at("lower/g"), "below");
  const layers = `lowerdir=${at("lower")},upperdir=${at("upper")},workdir=${at("work")}`;
  if (spawnSync("mount", ["-t", "overlay", "overlay", "-o", layers, at("merged")]).status !== 0) {
    return t.skip("this process may not mount an overlay");
  }
  try {
    const { client, files } = share(t, join(path, "merged"));
    const f = client.lookup(ROOT_NODE, "f");
    client.setXattr(f.node, "user.a", "kept");
    client.write(f.node, 0, "above");
    assert.equal(client.lookup(ROOT_NODE, "f").node, f.node);
    assert.equal(client.getXattr(f.node, "user.a"), "kept");
    const g = client.lookup(ROOT_NODE, "g");
    client.change(g.node, { mode: 0o100640, uid: 5 });
    assert.equal(client.lookup(ROOT_NODE, "g").node, g.node);
    assert.equal(client.attributes(g.node).mode, 0o100640);
    assert.equal(client.content(g.node), "below");
    files.close();
  } finally {
    spawnSync("umount", [at("merged")]);
  }
});

test("share: that disappears gives errors", (t) => {
  const { client, path, at } = sharedFolder(t, { mostDescriptors: 1 });
  mkdirSync(at("d"));
  writeFileSync(at("d/f"), "x");
  const { node } = client.walk("d/f");
  renameSync(path, `${path}.gone`);
  t.after(() => rmSync(`${path}.gone`, { recursive: true, force: true }));
  assert.equal(client.content(node), "x");
  rmSync(`${path}.gone`, { recursive: true });
  const d = client.walk.bind(client, "d");
  assert.throws(d, errno(Errno.ENOENT));
  assert.throws(() => client.makeFile(ROOT_NODE, "new"), errno(Errno.ENOENT));
  assert.throws(() => client.list(node), errno(Errno.ENOTDIR));
  assert.deepEqual(client.list(ROOT_NODE), []);
  assert.ok(client.attributes(ROOT_NODE).nlink === 0);
});

test("readOnly: nothing changes, whatever is asked", (t) => {
  const { path, at } = sharedFolder(t);
  mkdirSync(at("d"));
  writeFileSync(at("d/f"), "as it was", { mode: 0o600 });
  linkSync(at("d/f"), at("g"));
  const { client } = share(t, path, { readOnly: true });
  const d = client.walk("d").node;
  const f = client.walk("d/f").node;
  const attempts: (() => unknown)[] = [
    () => client.write(f, 0, "no"),
    () => client.write(f, 0, "no", O_APPEND),
    () => client.change(f, { mode: 0o777 }),
    () => client.change(f, { size: 0 }),
    () => client.change(f, { mtimeNs: 1n }),
    () => client.makeFile(d, "new"),
    () => client.makeDirectory(d, "new"),
    () => client.makeLink(d, "new", "x"),
    () => client.link(f, d, "new"),
    () => client.rename(d, "f", d, "h"),
    () => client.unlink(d, "f"),
    () => client.removeDirectory(ROOT_NODE, "d"),
    () => client.setXattr(f, "user.x", "1"),
    () => client.removeXattr(f, "user.x"),
  ];
  for (const attempt of attempts) assert.throws(attempt, errno(Errno.EROFS), String(attempt));
  assert.equal(client.content(f), "as it was");
  client.sync(f);
  client.request(Opcode.statfs, ROOT_NODE, new Uint8Array(0));
  assert.equal(readFileSync(at("g"), "utf8"), "as it was");
  assert.equal(lstatSync(at("d/f")).mode & 0o777, 0o600);
  assert.equal(statSync(at("d/f")).nlink, 2);
});

test("sync: files, directories and what has no content", (t) => {
  const { client } = sharedFolder(t);
  const d = client.makeDirectory(ROOT_NODE, "d");
  const f = client.makeFile(d.node, "f");
  client.setXattr(f.node, "user.a", "b");
  for (const node of [f.node, d.node, client.makeLink(ROOT_NODE, "l", "x").node]) client.sync(node);
  client.unlink(d.node, "f");
  client.sync(f.node);
});

test("nodes: not more than agreed, and none is lost that is forgotten", (t) => {
  const { client, files, at } = sharedFolder(t, { mostNodes: 10 });
  for (let i = 0; i < 20; i++) writeFileSync(at(`f${i}`), "");
  for (let i = 0; i < 9; i++) client.lookup(ROOT_NODE, `f${i}`);
  assert.throws(() => client.lookup(ROOT_NODE, "f9"), errno(Errno.ENFILE));
  assert.throws(() => client.makeFile(ROOT_NODE, "new"), errno(Errno.ENFILE));
  assert.ok(!existsSync(at("new")));
  const { node } = client.lookup(ROOT_NODE, "f0");
  client.forget(node, 1);
  assert.throws(() => client.lookup(ROOT_NODE, "f9"), errno(Errno.ENFILE));
  client.forget(node, 100);
  client.lookup(ROOT_NODE, "f9");
  client.session.reset();
  assert.equal(files.save().length, 1);
});

test("nodes: a directory that is forgotten before what is in it stays the way to it", (t) => {
  const { client, files } = sharedFolder(t, { mostDescriptors: 1 });
  const d = client.makeDirectory(ROOT_NODE, "d");
  const f = client.makeFile(d.node, "f");
  client.write(f.node, 0, "x");
  client.forget(d.node);
  client.makeDirectory(ROOT_NODE, "other");
  assert.equal(client.content(f.node), "x");
  client.forget(f.node);
  assert.equal(files.save().length, 2);
});

test("nodes: trees as deep as anybody likes, with few descriptors", (t) => {
  const { client } = sharedFolder(t, { mostDescriptors: 8 });
  let node = ROOT_NODE;
  const all: number[] = [];
  for (let depth = 0; depth < 300; depth++) {
    node = client.makeDirectory(node, "d").node;
    all.push(node);
  }
  for (let i = 0; i < 20; i++) client.makeFile(ROOT_NODE, `f${i}`);
  const { node: file } = client.makeFile(node, "deep");
  client.write(file, 0, "down here");
  for (let i = 0; i < 20; i++) client.makeFile(ROOT_NODE, `g${i}`);
  assert.equal(client.content(file), "down here");
  client.unlink(node, "deep");
  for (let depth = all.length - 1; depth >= 0; depth--) {
    client.removeDirectory(depth === 0 ? ROOT_NODE : all[depth - 1], "d");
    if (depth % 2 === 0) client.forget(all[depth]);
  }
});

test("save, restore: a guest goes on with its nodes", (t) => {
  const { path, files, client, at } = sharedFolder(t);
  const d = client.makeDirectory(ROOT_NODE, "d");
  const f = client.makeFile(d.node, "f");
  const g = client.makeFile(d.node, "g");
  client.write(f.node, 0, "kept");
  const saved = structuredClone(files.save());
  rmSync(at("d/g"));
  const { files: again, client: other } = share(t, path);
  again.restore(saved);
  assert.equal(other.content(f.node), "kept");
  assert.throws(() => other.content(g.node), errno(Errno.ESTALE));
  assert.notEqual(other.makeFile(d.node, "h").node, g.node);
});

test("lookup: objects that are no files are what they are, and are never opened", (t) => {
  const { client, at } = sharedFolder(t);
  symlinkSync("/dev/zero", at("zero"));
  const { node, mode } = client.lookup(ROOT_NODE, "zero");
  assert.equal(mode & 0o170000, 0o120000);
  assert.throws(() => client.content(node), errno(Errno.EINVAL));
  assert.throws(() => client.write(node, 0, "x"), errno(Errno.EINVAL));
  assert.throws(() => client.read(ROOT_NODE, 0, 10), errno(Errno.EISDIR));
});

test("change: a truncated file of the host, a file without permissions", (t) => {
  const { client, at } = sharedFolder(t);
  const { node } = client.makeFile(ROOT_NODE, "f", 0o100000);
  client.write(node, 0, "12345");
  truncateSync(at("f"), 2);
  assert.equal(client.content(node), "12");
  chmodSync(at("f"), 0o444);
  client.write(node, 2, "3");
  assert.equal(client.content(node), "123");
});
