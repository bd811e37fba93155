// Everything the builder guest unpacks, as one plain tar archive on a disk: the base packages' files with dpkg's
// database, our settings, the kernel's modules, and the added packages as .debs without compression.
// The host does the decompression: it is many times faster at it than a guest.
import type { FileHandle } from "node:fs/promises";
import type { PackageRecord } from "../archive/package-index.ts";
import { ImageError } from "../error.ts";
import { writeAr } from "../formats/ar.ts";
import { collect } from "../formats/bytes.ts";
import { type Deb, withDeb } from "../formats/deb.ts";
import { FormatError } from "../formats/format-error.ts";
import { type TarHeader, tarEnd, tarHeader, tarPadding } from "../formats/tar.ts";
import { type Kernel, moduleTables, readModule, readTable } from "../kernel/store.ts";
import { conffilePaths, dpkgDatabase, md5, type UnpackedPackage } from "./database.ts";
import type { Setting } from "./settings.ts";

const BUFFER_BYTES = 4 << 20;
const encoder = new TextEncoder();

/** Appends entries to a tar archive in a file, once per directory, with parents where they are missing. */
export class PayloadWriter {
  readonly #file: FileHandle;
  readonly #directories = new Set<string>();
  readonly #aliases = new Map<string, string>();
  readonly #modified: number;
  #parts: Uint8Array[] = [];
  #buffered = 0;
  /** Bytes written so far. */
  written = 0;

  /** `modified`: the time, in seconds, given to what has none of its own. */
  constructor(file: FileHandle, modified: number) {
    this.#file = file;
    this.#modified = modified;
  }

  /** Adds one node; of several directories of a name only the first counts, as with dpkg. */
  async add(header: Partial<TarHeader> & { name: string }, content: Uint8Array = new Uint8Array(0)): Promise<void> {
    const name = header.name.replace(/^\.?\/+|\/+$/g, "");
    if (name === "" || name === ".") return;
    if (header.type === "directory") {
      if (this.#directories.has(name)) return;
      this.#directories.add(name);
    } else if (header.type === "link" && this.#aliases.get(name) === header.target) return;
    await this.#parents(name);
    const size = content.length;
    await this.#write(tarHeader({ modified: this.#modified, ...header, name, size }));
    await this.#write(content);
    await this.#write(tarPadding(size));
  }

  /** Makes a directory a link that later entries below its name follow. */
  async alias(name: string, target: string): Promise<void> {
    await this.add({ name: target, type: "directory", mode: 0o755 });
    await this.add({ name, type: "link", mode: 0o777, target });
    this.#directories.add(name);
    this.#aliases.set(name, target);
  }

  async end(): Promise<void> {
    await this.#write(tarEnd);
    await this.#flush();
  }

  async #parents(name: string): Promise<void> {
    const slash = name.lastIndexOf("/");
    if (slash < 0) return;
    const parent = name.slice(0, slash);
    if (!this.#directories.has(parent)) await this.add({ name: parent, type: "directory", mode: 0o755 });
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    this.#parts.push(bytes);
    this.#buffered += bytes.length;
    this.written += bytes.length;
    if (this.#buffered >= BUFFER_BYTES) await this.#flush();
  }

  async #flush(): Promise<void> {
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#buffered = 0;
    for (let at = 0; at < whole.length; ) at += (await this.#file.write(whole, at)).bytesWritten;
  }
}

/** Lays out a package's files; returns what dpkg's database has to say of it. */
export async function unpackInto(writer: PayloadWriter, deb: Deb): Promise<UnpackedPackage> {
  const unpacked = { control: "", members: [] as UnpackedPackage["members"], paths: [] as string[] };
  for await (const entry of deb.control()) {
    const name = entry.name.replace(/^\.\//, "");
    if (entry.type !== "file") continue;
    const content = await entry.content();
    if (name === "control") unpacked.control = new TextDecoder().decode(content);
    else unpacked.members.push({ name, mode: entry.mode, content });
  }
  if (unpacked.control === "") throw new FormatError("no control file in it");
  const conffiles = new Set(conffilePaths(unpacked.members));
  const conffileSums = new Map<string, string>();
  for await (const entry of deb.data()) {
    const path = `/${entry.name.replace(/^\.?\/+|\/+$/g, "")}`;
    unpacked.paths.push(path === "/" ? "/." : path);
    const content = entry.type === "file" ? await entry.content() : undefined;
    if (content !== undefined && conffiles.has(path)) conffileSums.set(path, md5(content));
    const { content: _, ...header } = entry;
    const target = entry.type === "hardlink" ? entry.target.replace(/^\.?\/+/, "") : entry.target;
    await writer.add({ ...header, target }, content);
  }
  return { ...unpacked, conffileSums };
}

/** A package with both archives as they are, decompressed. */
async function plainDeb(deb: Deb): Promise<Uint8Array> {
  return writeAr([
    { name: "debian-binary", content: encoder.encode("2.0\n") },
    { name: "control.tar", content: await collect(deb.controlTar()) },
    { name: "data.tar", content: await collect(deb.dataTar()) },
  ]);
}

async function addModules(writer: PayloadWriter, kernel: Kernel): Promise<void> {
  const directory = `usr/lib/modules/${kernel.release}`;
  for (const module of kernel.modules) {
    await writer.add({ name: `${directory}/kernel/${module.path}`, mode: 0o644 }, await readModule(kernel, module));
  }
  for (const name of moduleTables) {
    const content = await readTable(kernel, name);
    if (content !== undefined) await writer.add({ name: `${directory}/${name}`, mode: 0o644 }, content);
  }
}

/** What goes into a payload. */
export interface Payload {
  base: readonly PackageRecord[];
  /** In the order of installation. */
  addedBatches: readonly (readonly PackageRecord[])[];
  kernel: Kernel;
  settings: readonly Setting[];
  /** Where a package's file is. */
  path(each: PackageRecord): string;
  /** Hears how many installed bytes have been laid out. */
  onBytes?(done: number, each: PackageRecord): void;
  signal?: AbortSignal | undefined;
}

/** Writes the payload; returns what dpkg's database knows of the base packages. Throws ImageError. */
export async function writePayload(file: FileHandle, payload: Payload): Promise<UnpackedPackage[]> {
  const writer = new PayloadWriter(file, Math.floor(Date.now() / 1000));
  const unpacked: UnpackedPackage[] = [];
  let done = 0;
  const each = async (found: PackageRecord, use: (deb: Deb) => Promise<void>) => {
    payload.signal?.throwIfAborted();
    await withDeb(payload.path(found), use).catch((cause) => {
      if (!(cause instanceof FormatError)) throw cause;
      throw new ImageError("package-corrupt", `${found.name}: ${cause.message}`, { cause });
    });
    done += found.installedBytes;
    payload.onBytes?.(done, found);
  };
  // Where the aliases of merged /usr point has to exist before anything is laid out through them.
  for (const name of ["bin", "sbin", "lib"]) await writer.alias(name, `usr/${name}`);
  const first = payload.base.filter(({ name }) => name === "base-files");
  for (const found of [...first, ...payload.base.filter((other) => !first.includes(other))]) {
    await each(found, async (deb) => void unpacked.push(await unpackInto(writer, deb)));
  }
  for (const { name, mode, content } of dpkgDatabase(unpacked)) await writer.add({ name, mode }, content);
  for (const { name, content = "", target, mode = 0o644 } of payload.settings) {
    if (target !== undefined) await writer.add({ name, type: "link", mode: 0o777, target });
    else await writer.add({ name, mode }, typeof content === "string" ? encoder.encode(content) : content);
  }
  await addModules(writer, payload.kernel);
  for (const [index, batch] of payload.addedBatches.entries()) {
    const directory = `var/cache/bulkhead/${String(index).padStart(3, "0")}`;
    for (const found of batch) {
      await each(found, async (deb) => writer.add({ name: `${directory}/${found.name}.deb` }, await plainDeb(deb)));
    }
  }
  await writer.end();
  return unpacked;
}
