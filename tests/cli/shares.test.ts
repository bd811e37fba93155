/** Folders of this host in a guest, as a user shares them, and what is on the host afterwards. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFile, chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { failures } from "../../packages/bulkhead/src/exit-codes.ts";
import { seededRandom } from "../../packages/devices/src/testing/random.ts";
import { Cli, cli, type Ended, printed, withFolder } from "./cli.ts";
import { skipWithout } from "./guest.ts";
import { adderProgram } from "./riscv-program.ts";

const skip = await skipWithout("busybox");
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);

/** A run of a shell script in the busybox guest. */
const busybox = (options: readonly string[], script: string): string[] => [
  ...["run", "busybox", "--memory", "256", "--network", "none", ...options],
  ...["--", "sh", "-c", script],
];

const SEMANTICS = `
cd "/mnt/with space:here"
cat hello
echo one >f; echo two >>f; ln f g; ln -s f h; cat h
chmod 4750 f; chown 1000:100 f; touch -d '2001-02-03 04:05:06' f
stat -c '%h %a %u:%g %F %y' f
mknod null c 1 3; echo x >null && stat -c '%F %t,%T' null
mkfifo p; (echo through >p &); cat p
exec 5<>open; echo still >&5; rm open; cat /proc/self/fd/5; exec 5>&-
mkdir -p a/b; echo deep >a/b/c; mv a/b/c a; rmdir a/b; mv a d; cat d/c
dd if=/dev/zero of=big bs=1M count=3 2>/dev/null; truncate -s 1000 big; wc -c <big
printf A >mapped; chmod 755 adder; ./adder mapped; echo $?; cat mapped; echo
ls -a | tr '\\n' ' '; echo
rm d; mkdir d; rmdir d; ln -s . d
echo no >/sealed/new; touch /sealed/hello; mount -o remount,rw /sealed; echo no >/sealed/new; rm /sealed/hello
mount | grep -c virtiofs
`;

/** How many random commands are compared. */
const COMMANDS = 200;

/** Commands that make sense more often than not, on few names. */
function randomCommands(count: number): string[] {
  const random = seededRandom(() => {}, seed);
  const name = (): string => random.pick(["a", "b", "c", "d/a", "d/b", "d/e", "d", "e", "e/a"]);
  return Array.from({ length: count }, () =>
    random.pick([
      () => `echo ${random.below(1000)} >${name()}`,
      () => `echo ${random.below(1000)} >>${name()}`,
      () => `truncate -s ${random.below(10_000)} ${name()}`,
      () => `mv ${name()} ${name()}`,
      () => `ln ${name()} ${name()}`,
      () => `ln -s ${name()} ${name()}`,
      () => `rm ${name()}`,
      () => `mkdir ${name()}`,
      () => `rmdir ${name()}`,
      () => `chmod ${random.pick([644, 600, 755, 4755, 0])} ${name()}`,
      () => `chown ${random.below(3)}:${random.below(3)} ${name()}`,
      () => `touch -d @${100_000_000 + random.below(800_000_000)} ${name()}`,
      () => `dd if=/proc/version of=${name()} bs=7 seek=${random.below(999)} count=3 conv=notrunc`,
      () => `cat ${name()}`,
    ])(),
  );
}

/** A tree goes from a sealed share to another one, and from there into an archive. */
const TREE = "tar cf - -C /sealed tree | tar xf - -C /to && tar cf /to/again.tar -C /to tree; echo $?";

/** The same commands in a folder of the share and in one of the guest's own memory; what differs is printed. */
const COMPARISON = `
mkdir /to/work /tmp/work
(cd /tmp/work && sh /sealed/commands) >/tmp/expected 2>&1
(cd /to/work && sh /sealed/commands) >/tmp/found 2>&1
diff /tmp/expected /tmp/found && echo the same; wc -l </tmp/found
`;

/** What is in the folder at the end; times that nobody set are left out. */
const LOOK = `
find . ! -type d | sort | while read -r n; do
  stat -c '%n %F %h %a %u:%g %s %Y' $n | sed 's/ [0-9]\\{10\\}$/ now/'
  [ -L $n ] || md5sum <$n
done
`;

const folder = await mkdtemp(join(tmpdir(), "bulkhead-shares-"));
const [shared, sealed, to] = ["shared", "sealed", "to"].map((name) => join(folder, name));
after(() => rm(folder, { recursive: true, force: true }));

/** One guest that does all of the above; the parts of its output. */
let ended: Promise<Ended & { readonly parts: readonly string[] }> | undefined;
const guest = (): NonNullable<typeof ended> => {
  ended ??= runGuest();
  return ended;
};

async function runGuest(): Promise<Ended & { readonly parts: readonly string[] }> {
  for (const path of [shared, sealed, to]) await mkdir(path);
  for (const path of [shared, sealed]) await writeFile(join(path, "hello"), "from the host\n");
  await writeFile(join(shared, "adder"), adderProgram());
  await writeTree(join(sealed, "tree"));
  const commands = randomCommands(COMMANDS).map((command, i) => `(${command}) 2>/dev/null; echo ${i} $?`);
  await writeFile(join(sealed, "commands"), `${commands.join("\n")}\n${LOOK}`);
  const shares = [`${shared}:/mnt/with space\\:here`, `${sealed}:/sealed:ro`, `${to}:/to:thread`];
  const options = shares.flatMap((share) => ["--share", share]);
  const script = [TREE, COMPARISON, SEMANTICS].join("\necho ------\n");
  const all = await cli(busybox(options, script));
  return { ...all, parts: all.stdout.split("------\n") };
}

async function writeTree(path: string): Promise<void> {
  const random = seededRandom(() => {}, seed);
  for (let i = 0; i < 300; i++) {
    const directory = join(path, `d${i % 7}`, `e${i % 3}`);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, `file${i}`), random.bytes(random.below(9000)));
    await chmod(join(directory, `file${i}`), random.pick([0o644, 0o755, 0o600]));
  }
}

test("cli: a share behaves as a file system of the guest's, and holds what it wrote", { skip }, async () => {
  const { code, parts, stderr } = await guest();
  assert.deepEqual(parts[2]?.split("\n"), [
    ...["from the host", "one", "two"],
    "2 750 1000:100 regular file 2001-02-03 04:05:06.000000000 +0000",
    ...["character special file 1,3", "through", "still", "deep", "1000", "65", "B"],
    ...[". .. adder big d f g h hello mapped null p ", "3", ""],
  ]);
  assert.equal(stderr.match(/Read-only file system/g)?.length, 4, stderr);
  assert.equal(code, 0);
  assert.equal(await readFile(join(shared, "g"), "utf8"), "one\ntwo\n");
  assert.equal(await readFile(join(shared, "mapped"), "utf8"), "B");
  assert.deepEqual((await readdir(sealed)).sort(), ["commands", "hello", "tree"]);
  assert.equal((await stat(join(shared, "g"))).mode & 0o7000, 0);
});

test("cli: a tree goes into a share and comes out again as it was", { skip }, async () => {
  assert.equal((await guest()).parts[0], "0\n");
  const again = join(folder, "again");
  await mkdir(again);
  execFileSync("tar", ["xf", join(to, "again.tar"), "-C", again]);
  for (const path of [to, again]) {
    execFileSync("diff", ["-r", join(sealed, "tree"), join(path, "tree")]);
    assert.equal(listing(path), listing(sealed));
  }
});

/** Names, modes, sizes and seconds of a tree's files. */
const listing = (path: string): string =>
  execFileSync("find", [".", "-type", "f", "-printf", "%p %m %s %Ts\n"], { cwd: join(path, "tree"), encoding: "utf8" })
    .split("\n")
    .sort()
    .join("\n");

test("cli: a share does as the guest's own file system does, whatever happens in it", { skip }, async (t) => {
  t.diagnostic(`seed ${seed}; set SEED=${seed} to repeat`);
  const [, compared] = (await guest()).parts;
  assert.match(compared, /^the same\n/);
  assert.ok(Number(compared.split("\n")[1]) > COMMANDS);
});

test("cli: a share shows what the host changes, and fails when the host takes it away", { skip }, async () => {
  await withFolder(async (folder) => {
    const shared = join(folder, "shared");
    await mkdir(shared);
    await writeFile(join(shared, "log"), "first\n");
    const script = `
      cat /mnt/log; echo up
      until grep -q second /mnt/log; do sleep 0.1; done; echo appended
      until [ -e /mnt/new ]; do sleep 0.1; done; cat /mnt/new
      until grep -q other /mnt/log; do sleep 0.1; done; echo replaced
      while ls /mnt/new 2>/dev/null; do sleep 0.1; done >/dev/null; echo gone
      echo x >/mnt/file || echo refused
      sync; echo alive`;
    const running = new Cli(busybox(["--share", `${shared}:/mnt`], script));
    await printed(running, "up\n");
    await appendFile(join(shared, "log"), "second\n");
    await printed(running, "appended\n");
    await writeFile(join(shared, "new"), "new file\n");
    await printed(running, "new file\n");
    await writeFile(join(shared, "log.new"), "other\n");
    await rename(join(shared, "log.new"), join(shared, "log"));
    await printed(running, "replaced\n");
    await rm(shared, { recursive: true });
    const { code, stdout } = await running.ended;
    assert.match(stdout, /gone\nrefused\nalive\n$/);
    assert.equal(code, 0);
  });
});

test("cli: a share is mounted by a Debian guest's systemd", { skip: await skipWithout("debian") }, async () => {
  await withFolder(async (path) => {
    const script = `cd "/srv/a b" && cp -a /etc/skel copy && touch -d '2001-02-03 04:05:06.123456789' f && chown 1000:100 f
      stat -c '%y %u:%g' f; diff -r /etc/skel copy && echo same; findmnt -n -o FSTYPE,OPTIONS -T .; systemctl --failed -q`;
    const options = ["--network", "none", "--share", `${path}:/srv/a b`];
    const { code, stdout, stderr } = await cli(["run", "debian", ...options, "--", "sh", "-c", script]);
    assert.equal(stdout, "2001-02-03 04:05:06.123456789 +0000 1000:100\nsame\nvirtiofs rw,relatime\n", stderr);
    assert.equal(code, 0);
    assert.deepEqual((await readdir(join(path, "copy"))).sort(), [".bash_logout", ".bashrc", ".profile"]);
  });
});

test("cli: a share that cannot be used is refused at once", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "file");
    await writeFile(file, "");
    const attempts: [string, keyof typeof failures, RegExp][] = [
      [`${folder}/none:/mnt`, "file-missing", /share .*none: there is no such folder/],
      [`${file}:/mnt`, "file-unreadable", /share .*file: expected a folder, found a file/],
      ["/proc:/mnt", "file-unreadable", /belongs to the host's kernel/],
      [folder, "usage", /--share/],
      [`${folder}:mnt`, "usage", /absolute path/],
      [`${folder}:/mnt:rx`, "usage", /rx is no setting/],
    ];
    for (const [share, failure, message] of attempts) {
      const { code, stderr } = await cli(["run", "busybox", "--share", share, "--", "true"]);
      assert.equal(code, failures[failure].exit, stderr);
      assert.match(stderr, message);
    }
  });
});
