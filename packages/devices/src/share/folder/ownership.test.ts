/** Owners, modes, kinds and extended attributes that the host cannot hold, as its root and as anybody else. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, lstatSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { errno, share, sharedFolder } from "../../testing/shared-folder-node.ts";
import { Errno } from "../errno.ts";
import { ROOT_NODE, XattrFlag } from "../fuse/protocol.ts";
import { thisUser } from "./host-folder-node.ts";
import { RESERVED } from "./names-node.ts";

/** The process as if it were no root. */
const user = { ...thisUser(), privileged: false };
const isRoot = process.geteuid?.() === 0;

test("owner: who runs the host's process is the guest's root, others are nobody", (t) => {
  const { client, at } = sharedFolder(t, { user });
  writeFileSync(at("mine"), "");
  const mine = client.lookup(ROOT_NODE, "mine");
  assert.deepEqual([mine.uid, mine.gid], [0, 0]);
  const made = client.makeFile(ROOT_NODE, "made");
  assert.deepEqual([made.uid, made.gid], [0, 0]);
  assert.ok(!existsSync(at(RESERVED)), "nothing is kept aside for what the host can hold");
  const other = share(t, at("."), { user: { ...user, uid: 12345, gid: 12345 } }).client.lookup(ROOT_NODE, "mine");
  assert.deepEqual([other.uid, other.gid], [65534, 65534]);
});

test("owner: a guest's users have what they make, also after a restart, and wherever it is moved", (t) => {
  const { client, path, at } = sharedFolder(t, { user });
  client.caller = { uid: 1000, gid: 100 };
  const d = client.makeDirectory(ROOT_NODE, "d", 0o750);
  const f = client.makeFile(d.node, "f", 0o100600);
  assert.deepEqual([d.uid, d.gid, f.uid, f.gid], [1000, 100, 1000, 100]);
  client.makeLink(d.node, "l", "x");
  renameSync(at("d/f"), at("g"));
  const again = share(t, path, { user }).client;
  const [g, l] = [again.lookup(ROOT_NODE, "g"), again.walk("d/l")];
  assert.deepEqual([g.uid, g.gid, l.uid, l.gid, again.walk("d").mode], [1000, 100, 1000, 100, 0o40750]);
  const changed = again.change(g.node, { uid: 7 });
  assert.deepEqual([changed.uid, changed.gid], [7, 100]);
  assert.equal(again.change(g.node, { uid: 0, gid: 0 }).uid, 0);
  assert.equal(statSync(at("g")).uid, user.uid);
});

test("owner: a file of the host does not inherit what was known of one that has gone", (t) => {
  const { client, at } = sharedFolder(t, { user });
  client.caller = { uid: 1000, gid: 100 };
  client.makeFile(ROOT_NODE, "f");
  for (let i = 0; i < 20; i++) {
    rmSync(at("f"));
    writeFileSync(at("f"), "");
    assert.equal(client.lookup(ROOT_NODE, "f").uid, 0);
  }
});

test("owner: root gives files away for good", { skip: isRoot ? false : "this process is not root" }, (t) => {
  const { client, at } = sharedFolder(t);
  client.caller = { uid: 1000, gid: 100 };
  const f = client.makeFile(ROOT_NODE, "f");
  const l = client.makeLink(ROOT_NODE, "l", "/nowhere");
  client.change(l.node, { uid: 5, gid: 6 });
  assert.deepEqual([statSync(at("f")).uid, statSync(at("f")).gid], [1000, 100]);
  assert.deepEqual([lstatSync(at("l")).uid, lstatSync(at("l")).gid], [5, 6]);
  client.change(f.node, { uid: 3 });
  assert.deepEqual([statSync(at("f")).uid, statSync(at("f")).gid], [3, 100]);
  assert.ok(!existsSync(at(RESERVED)));
});

test("owner: a directory with the group's bit gives its group to what is made in it", (t) => {
  const { client } = sharedFolder(t, { user });
  const d = client.makeDirectory(ROOT_NODE, "d");
  client.change(d.node, { gid: 50, mode: 0o42775 });
  client.caller = { uid: 1000, gid: 1000 };
  const f = client.makeFile(d.node, "f");
  const e = client.makeDirectory(d.node, "e", 0o755);
  assert.deepEqual([f.uid, f.gid], [1000, 50]);
  assert.deepEqual([e.gid, e.mode], [50, 0o42755]);
});

test("mode: the host keeps what it needs itself, the guest sees what it set", (t) => {
  const { client, at } = sharedFolder(t, { user });
  const f = client.makeFile(ROOT_NODE, "f", 0o100000);
  const d = client.makeDirectory(ROOT_NODE, "d", 0o1000);
  assert.deepEqual([f.mode, d.mode], [0o100000, 0o41000]);
  assert.deepEqual([statSync(at("f")).mode & 0o7777, statSync(at("d")).mode & 0o7777], [0o600, 0o700]);
  client.write(f.node, 0, "x");
  client.makeFile(d.node, "g");
  // What the host changes counts from then on.
  chmodSync(at("f"), 0o640);
  assert.equal(client.attributes(f.node).mode, 0o100640);
});

test("mode: the host's umask takes nothing from it", (t) => {
  const { client, at } = sharedFolder(t);
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  const { client: careful } = share(t, at("."), { user: thisUser() });
  assert.equal(careful.makeFile(ROOT_NODE, "f", 0o100666).mode, 0o100666);
  assert.equal(careful.makeDirectory(ROOT_NODE, "d", 0o777).mode, 0o40777);
  assert.equal(client.lookup(ROOT_NODE, "f").mode, 0o100666);
});

test("mode: a change of owner takes a program's rights away", (t) => {
  const { client } = sharedFolder(t, { user });
  const f = client.makeFile(ROOT_NODE, "f", 0o106755);
  client.setXattr(f.node, "security.capability", "\x01\x02");
  assert.equal(client.change(f.node, { uid: 9 }).mode, 0o100755);
  assert.throws(() => client.getXattr(f.node, "security.capability"), errno(Errno.ENODATA));
  client.setXattr(f.node, "security.capability", "\x01\x02");
  client.write(f.node, 0, "other content");
  assert.throws(() => client.getXattr(f.node, "security.capability"), errno(Errno.ENODATA));
});

test("xattrs: are set, listed, replaced and removed", (t) => {
  const { client, path } = sharedFolder(t);
  const { node } = client.makeDirectory(ROOT_NODE, "d");
  const binary = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
  client.setXattr(node, "user.binary", binary);
  client.setXattr(node, "trusted.empty", "");
  client.setXattr(node, "user.__proto__", "x");
  assert.equal(client.getXattr(node, "user.binary"), binary);
  assert.deepEqual(client.listXattr(node).sort(), ["trusted.empty", "user.__proto__", "user.binary"]);
  assert.throws(() => client.setXattr(node, "user.binary", "x", XattrFlag.create), errno(Errno.EEXIST));
  assert.throws(() => client.setXattr(node, "user.none", "x", XattrFlag.replace), errno(Errno.ENODATA));
  assert.throws(() => client.getXattr(node, "user.binary", 10), errno(Errno.ERANGE));
  assert.throws(() => client.setXattr(node, "system.posix_acl_access", "x"), errno(Errno.EOPNOTSUPP));
  assert.throws(() => client.setXattr(node, "user.large", "x".repeat(65536)), errno(Errno.ENOSPC));
  client.setXattr(node, "user.binary", "short", XattrFlag.replace);
  const again = share(t, path).client;
  const other = again.lookup(ROOT_NODE, "d").node;
  assert.equal(again.getXattr(other, "user.binary"), "short");
  for (const name of again.listXattr(other)) again.removeXattr(other, name);
  assert.throws(() => again.removeXattr(other, "user.binary"), errno(Errno.ENODATA));
  assert.deepEqual(again.listXattr(other), []);
});

test("xattrs: go with the last name and the last user of a file", (t) => {
  const { client, at } = sharedFolder(t);
  const { node } = client.makeFile(ROOT_NODE, "f");
  client.setXattr(node, "user.a", "b");
  client.unlink(ROOT_NODE, "f");
  assert.equal(client.getXattr(node, "user.a"), "b");
  client.forget(node);
  assert.match(readFileSync(at(RESERVED), "latin1").trimEnd().split("\n").at(-1) ?? "", / \["[\d:]+",null\]$/);
});
