/** A guest with a share must not get at anything beside it, by whatever names, links and races it tries. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FuseError } from "../../testing/fuse-client.ts";
import { errno, share, sharedFolder } from "../../testing/shared-folder-node.ts";
import { Errno } from "../errno.ts";
import { Opcode, ROOT_NODE } from "../fuse/protocol.ts";
import { RESERVED } from "./names-node.ts";

for (const name of ["", ".", "..", "a/b", "/etc/passwd", "../secret", "d/../../secret", "a/"]) {
  test(`names: ${JSON.stringify(name)} leads nowhere and cannot be made`, (t) => {
    const { client, path } = sharedFolder(t);
    const d = client.makeDirectory(ROOT_NODE, "d");
    const f = client.makeFile(d.node, "f");
    const before = readdirSync(path, { recursive: true });
    const attempts: (() => unknown)[] = [
      () => client.lookup(d.node, name),
      () => client.makeFile(d.node, name),
      () => client.makeDirectory(d.node, name),
      () => client.makeLink(d.node, name, "x"),
      () => client.link(f.node, d.node, name),
      () => client.unlink(d.node, name),
      () => client.removeDirectory(d.node, name),
      () => client.rename(d.node, name, d.node, "x"),
      () => client.rename(d.node, "f", d.node, name),
    ];
    for (const attempt of attempts) assert.throws(attempt, errno(Errno.EINVAL), String(attempt));
    assert.deepEqual(readdirSync(path, { recursive: true }), before);
  });
}

test("links: the host never follows one, wherever it stands", (t) => {
  const { client, path, at } = sharedFolder(t);
  const secret = `${path}.secret`;
  mkdirSync(secret);
  t.after(() => rmSync(secret, { recursive: true }));
  writeFileSync(join(secret, "file"), "secret");
  const folder = client.makeLink(ROOT_NODE, "folder", secret);
  const file = client.makeLink(ROOT_NODE, "file", join(secret, "file"));
  const attempts: (() => unknown)[] = [
    () => client.lookup(folder.node, "file"),
    () => client.makeFile(folder.node, "new"),
    () => client.makeDirectory(folder.node, "new"),
    () => client.unlink(folder.node, "file"),
    () => client.list(folder.node),
    () => client.content(file.node),
    () => client.write(file.node, 0, "x"),
    () => client.change(file.node, { size: 0 }),
    () => client.rename(folder.node, "file", ROOT_NODE, "mine"),
    () => client.link(folder.node, folder.node, "x"),
  ];
  for (const attempt of attempts) assert.throws(attempt, FuseError, String(attempt));
  // These change the link, and nothing else.
  client.change(file.node, { mode: 0o120000, uid: 5, mtimeNs: 0n });
  client.link(file.node, ROOT_NODE, "again");
  assert.equal(client.lookup(ROOT_NODE, "again").mode & 0o170000, 0o120000);
  assert.deepEqual(readdirSync(secret), ["file"]);
  assert.equal(readFileSync(join(secret, "file"), "utf8"), "secret");
  assert.equal(readFileSync(at("again"), "utf8"), "secret");
});

test("links: a directory that becomes one is not followed by those who knew it", (t) => {
  const { client, path, at } = sharedFolder(t, { mostDescriptors: 1 });
  const secret = `${path}.secret`;
  mkdirSync(secret);
  t.after(() => rmSync(secret, { recursive: true }));
  writeFileSync(join(secret, "f"), "secret");
  const d = client.makeDirectory(ROOT_NODE, "d");
  const f = client.makeFile(d.node, "f");
  client.write(f.node, 0, "mine");
  client.makeFile(ROOT_NODE, "other");
  renameSync(at("d"), `${path}.away`);
  t.after(() => rmSync(`${path}.away`, { recursive: true }));
  symlinkSync(secret, at("d"));
  for (const attempt of [() => client.content(f.node), () => client.lookup(d.node, "f"), () => client.list(d.node)]) {
    assert.throws(attempt, errno(Errno.ESTALE), String(attempt));
  }
});

test("races: names that change all the time are what they say, or errors", async (t) => {
  const { client, path, at } = sharedFolder(t, { mostDescriptors: 2 });
  const secret = `${path}.secret`;
  mkdirSync(secret);
  t.after(() => rmSync(secret, { recursive: true }));
  writeFileSync(join(secret, "f"), "secret");
  mkdirSync(at("real"));
  writeFileSync(at("real/f"), "mine");
  // Another process makes `d` a directory and a link to the secret in turn, as fast as it can.
  const script = `
    const { renameSync, symlinkSync, rmSync } = require("node:fs");
    process.chdir(${JSON.stringify(path)});
    process.stdout.write("up");
    for (;;) {
      renameSync("real", "d");
      renameSync("d", "real");
      symlinkSync(${JSON.stringify(secret)}, "d");
      rmSync("d");
    }`;
  const racer = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await new Promise((resolve) => racer.stdout.once("data", resolve));
    let found = 0;
    for (let i = 0; i < 2000; i++) {
      try {
        const content = client.content(client.walk("d/f").node);
        assert.equal(content, "mine");
        found++;
      } catch (error) {
        assert.ok(error instanceof FuseError, String(error));
      }
      if (i % 7 === 0) client.session.reset();
      if (i % 7 === 0) client.init();
    }
    t.diagnostic(`seen ${found} times of 2000`);
  } finally {
    racer.kill("SIGKILL");
  }
  assert.equal(readFileSync(join(secret, "f"), "utf8"), "secret");
});

test("fifos and devices: are seen, and never opened on the host", (t) => {
  const { client, path, at } = sharedFolder(t);
  assert.equal(spawnSync("mkfifo", [at("fifo")]).status, 0);
  const fifo = client.lookup(ROOT_NODE, "fifo");
  assert.equal(fifo.mode & 0o170000, 0o010000);
  assert.throws(() => client.content(fifo.node), errno(Errno.EINVAL));
  assert.throws(() => client.write(fifo.node, 0, "x"), errno(Errno.EINVAL));
  assert.throws(() => client.change(fifo.node, { size: 0 }), errno(Errno.EINVAL));
  const device = spawnSync("mknod", [at("device"), "c", "1", "3"]).status === 0;
  if (device) {
    const { node, mode, rdev } = client.lookup(ROOT_NODE, "device");
    assert.deepEqual([mode & 0o170000, rdev], [0o020000, 0x103]);
    assert.throws(() => client.content(node), errno(Errno.EINVAL));
  }
  // What a guest makes is one for the guest only.
  const made = client.makeFile(ROOT_NODE, "null", 0o020666, 0x103);
  assert.deepEqual([made.mode, made.rdev], [0o020666, 0x103]);
  const { client: again } = share(t, path);
  const seen = again.lookup(ROOT_NODE, "null");
  assert.deepEqual([seen.mode, seen.rdev], [0o020666, 0x103]);
  assert.ok(readFileSync(at("null")).length === 0);
});

test("mount points: no guest gets into the file systems by which the host's kernel shows itself", (t) => {
  assert.throws(() => share(t, "/proc/self"), errno(Errno.EACCES));
  assert.throws(() => share(t, "/sys"), errno(Errno.EACCES));
  const { client } = share(t, "/", { readOnly: true });
  assert.throws(() => client.lookup(ROOT_NODE, "proc"), errno(Errno.EACCES));
  assert.throws(() => client.lookup(ROOT_NODE, "sys"), errno(Errno.EACCES));
  assert.ok(client.list(ROOT_NODE).includes("proc"), "one that cannot be entered does not hide the others");
  client.walk("usr/bin");
});

test("reserved names: the share's own file is not there for a guest, in no directory", (t) => {
  const { client, at } = sharedFolder(t);
  const d = client.makeDirectory(ROOT_NODE, "d");
  const f = client.makeFile(d.node, "f");
  client.setXattr(f.node, "user.a", "b");
  mkdirSync(at(`d/${RESERVED}.x`));
  const journal = readFileSync(at(RESERVED));
  assert.ok(journal.length > 0);
  for (const node of [ROOT_NODE, d.node]) {
    for (const plus of [true, false]) assert.ok(!client.list(node, plus).some((name) => name.startsWith(RESERVED)));
    assert.throws(() => client.lookup(node, RESERVED), errno(Errno.ENOENT));
    assert.throws(() => client.unlink(node, RESERVED), errno(Errno.ENOENT));
    assert.throws(() => client.rename(node, RESERVED, ROOT_NODE, "mine"), errno(Errno.ENOENT));
    assert.throws(() => client.rename(d.node, "f", node, RESERVED), errno(Errno.EPERM));
    assert.throws(() => client.makeFile(node, RESERVED), errno(Errno.EPERM));
    assert.throws(() => client.makeLink(node, `${RESERVED}.x`, "x"), errno(Errno.EPERM));
    assert.throws(() => client.link(f.node, node, RESERVED), errno(Errno.EPERM));
  }
  assert.deepEqual(readFileSync(at(RESERVED)), journal);
});

test("set-user-id: a guest cannot leave a program with its user's rights on the host", (t) => {
  const { client, at } = sharedFolder(t);
  const { node } = client.makeFile(ROOT_NODE, "program", 0o106755);
  assert.equal(client.attributes(node).mode, 0o106755);
  assert.equal(client.change(node, { mode: 0o104711 }).mode, 0o104711);
  assert.equal(statSync(at("program")).mode & 0o7777, 0o711);
  // A change of content by who may not keep it takes it away in the guest too.
  client.write(node, 0, "x", 0, 4);
  assert.equal(client.attributes(node).mode, 0o100711);
});

test("handles: of directories are the session's own, and bounded", (t) => {
  const { client } = sharedFolder(t);
  const open = (): bigint => client.request(Opcode.opendir, ROOT_NODE, new Uint8Array(8)).getBigUint64(0, true);
  const handles = Array.from({ length: 4096 }, open);
  assert.throws(open, errno(Errno.ENFILE));
  assert.equal(new Set(handles).size, 4096);
});
