/** Random operations on a share and on a plain folder beside it: both must do the same and hold the same in the end. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { type FuseClient, FuseError } from "../../testing/fuse-client.ts";
import { type Random, seededRandom } from "../../testing/random.ts";
import { type SharedFolder, sharedFolder } from "../../testing/shared-folder-node.ts";
import { Errno } from "../errno.ts";
import { RESERVED } from "./names-node.ts";
import { Format } from "./node.ts";

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const ROUNDS = Number(process.env.ROUNDS ?? 4000);

/** One thing to do: through the share, and on the plain folder. */
interface Step {
  readonly what: string;
  share(): unknown;
  plain(): unknown;
}

/** The share's side: names as paths, nodes forgotten now and then, files that stay in use after their last name. */
class Driver {
  readonly #client: FuseClient;
  readonly #random: Random;

  constructor(client: FuseClient, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  node(path: string): number {
    const { node } = this.#client.walk(path);
    // What a guest no longer needs it gives up, sooner or later.
    if (this.#random.below(3) === 0) this.#client.forget(node, 1 + this.#random.below(3));
    return path === "" ? 1 : this.#client.walk(path).node;
  }

  /** The directory of a path, and the name in it. */
  split(path: string): [number, string] {
    const at = path.lastIndexOf("/");
    return [this.node(path.slice(0, Math.max(0, at))), path.slice(at + 1)];
  }

  file(path: string): number {
    const node = this.node(path);
    const type = this.#client.attributes(node).mode & 0o170000;
    if (type !== Format.file) throw new FuseError(type === Format.directory ? Errno.EISDIR : Errno.ELOOP);
    return node;
  }
}

function randomStep(random: Random, { client }: SharedFolder, plainRoot: string): Step {
  const driver = new Driver(client, random);
  const path = (): string =>
    random.pick(["a", "b", "c", "d", "d/a", "d/b", "d/e", "d/e/a", "e", "e/a", "e/d", "e/d/a"]);
  const [p, q] = [path(), path()];
  const [from, to] = [join(plainRoot, p), join(plainRoot, q)];
  const offset = random.below(20_000);
  const bytes = random.bytes(random.below(300));
  const step = (what: string, share: () => unknown, plain: () => unknown): Step => ({
    what: `${what} ${p} ${q} ${offset}`,
    share,
    // A share never follows a link, so neither does the plain folder.
    plain: () => {
      for (const name of what === "rename" || what === "link" ? [p, q] : [p]) expectWay(plainRoot, name);
      return plain();
    },
  });
  const steps: (() => Step)[] = [
    () =>
      step(
        "make",
        () => client.makeFile(...driver.split(p)),
        () => fs.closeSync(fs.openSync(from, "wx")),
      ),
    () =>
      step(
        "write",
        () => client.write(driver.file(p), offset, bytes),
        () => withFile(from, "r+", (fd) => fs.writeSync(fd, bytes, 0, bytes.length, offset)),
      ),
    () =>
      step(
        "read",
        () => Buffer.from(client.read(driver.file(p), offset, 500)).toString("hex"),
        () =>
          withFile(from, "r", (fd) => {
            const into = Buffer.alloc(500);
            return into.subarray(0, fs.readSync(fd, into, 0, 500, offset)).toString("hex");
          }),
      ),
    () =>
      step(
        "truncate",
        () => client.change(driver.file(p), { size: offset }).size,
        () =>
          withFile(from, "r+", (fd) => {
            fs.ftruncateSync(fd, offset);
            return fs.fstatSync(fd).size;
          }),
      ),
    () =>
      step(
        "mkdir",
        () => client.makeDirectory(...driver.split(p)),
        () => fs.mkdirSync(from),
      ),
    () =>
      step(
        "rmdir",
        () => client.removeDirectory(...driver.split(p)),
        () => fs.rmdirSync(from),
      ),
    () =>
      step(
        "unlink",
        () => client.unlink(...driver.split(p)),
        () => fs.unlinkSync(from),
      ),
    () =>
      step(
        "rename",
        () => {
          driver.node(p);
          client.rename(...driver.split(p), ...driver.split(q));
        },
        () => fs.renameSync(from, to),
      ),
    () =>
      step(
        "link",
        () => client.link(driver.node(p), ...driver.split(q)),
        () => fs.linkSync(from, to),
      ),
    () =>
      step(
        "symlink",
        () => client.makeLink(...driver.split(p), q),
        () => fs.symlinkSync(q, from),
      ),
    () =>
      step(
        "chmod",
        () => client.change(driver.file(p), { mode: 0o600 | (offset & 0o777) }).mode,
        () => {
          isFile(from);
          fs.chmodSync(from, 0o600 | (offset & 0o777));
          return fs.statSync(from).mode;
        },
      ),
    () =>
      step(
        "list",
        () => client.list(driver.node(p), random.below(2) === 0).join(),
        () => {
          isDirectory(from);
          return fs.readdirSync(from).sort().join();
        },
      ),
  ];
  return random.pick(steps)();
}

function withFile<T>(path: string, flags: string, use: (descriptor: number) => T): T {
  isFile(path);
  const descriptor = fs.openSync(path, flags);
  try {
    return use(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function isFile(path: string): void {
  if (!fs.lstatSync(path).isFile()) throw new Error(`${path} is no file`);
}

function isDirectory(path: string): void {
  if (!fs.lstatSync(path).isDirectory()) throw new Error(`${path} is no directory`);
}

/** Every directory on the way to a name is one. */
function expectWay(root: string, name: string): void {
  for (let at = dirname(name); at !== "."; at = dirname(at)) isDirectory(join(root, at));
}

/** What came of it: a value, or that it was refused. */
function outcome(work: () => unknown): string {
  try {
    const value = work();
    return typeof value === "string" || typeof value === "number" ? String(value) : "done";
  } catch {
    return "refused";
  }
}

/** Everything in a folder, as text. */
function contentOf(root: string): string {
  return fs
    .readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => !name.startsWith(RESERVED))
    .sort()
    .map((name) => {
      const stat = fs.lstatSync(join(root, name));
      const what = stat.isFile()
        ? fs.readFileSync(join(root, name)).toString("hex")
        : stat.isSymbolicLink()
          ? fs.readlinkSync(join(root, name))
          : "";
      return `${name} ${stat.mode.toString(8)} ${stat.isDirectory() ? "" : stat.nlink} ${what}`;
    })
    .join("\n");
}

function stress(t: TestContext, options: { mostDescriptors: number }): void {
  const random = seededRandom((sentence) => t.diagnostic(sentence), seed);
  const shared = sharedFolder(t, options);
  const plain = fs.mkdtempSync(join(tmpdir(), "bulkhead-plain-"));
  t.after(() => fs.rmSync(plain, { recursive: true }));
  const history: string[] = [];
  const tell = (): string => `seed ${seed}:\n${history.slice(-12).join("\n")}`;
  for (let round = 0; round < ROUNDS; round++) {
    const step = randomStep(random, shared, plain);
    history.push(step.what);
    const [share, reference] = [outcome(step.share), outcome(step.plain)];
    history.push(`  ${share.slice(0, 60)} / ${reference.slice(0, 60)}`);
    assert.equal(share, reference, tell());
    if (round % 500 === 0) assert.equal(contentOf(shared.path), contentOf(plain), tell());
  }
  assert.equal(contentOf(shared.path), contentOf(plain), tell());
  shared.client.session.reset();
  assert.equal(shared.files.save().length, 1);
}

test("stress: a share does what a plain folder does", (t) => stress(t, { mostDescriptors: 1024 }));
test("stress: … with next to no descriptors", (t) => stress(t, { mostDescriptors: 2 }));
