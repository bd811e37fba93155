// Debian's kernel, taken out of its 112 MB package once: the Image and the modules that guests use, decompressed.
// Called by busybox/ and debian/. Kept in the cache as kernels/VERSION/.
import { mkdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Archive } from "../archive/client.ts";
import type { PackageRecord } from "../archive/package-index.ts";
import { replaceDirectory } from "../cache/replace-directory.ts";
import { writeSynced } from "../cache/replace-file.ts";
import { ImageError } from "../error.ts";
import { collect } from "../formats/bytes.ts";
import { withDeb } from "../formats/deb.ts";
import { compressionOf, decompress } from "../formats/decompress.ts";
import { FormatError } from "../formats/format-error.ts";
import type { TarEntry } from "../formats/tar.ts";
import { moduleName, readModinfo } from "./modinfo.ts";
import { type KernelModule, loadOrder, wantedModules } from "./modules.ts";

const META_PACKAGE = "linux-image-riscv64";
const FORMAT = 1;
const IMAGE = "Image";
const LIST = "modules.json";
/** Files beside the modules that depmod and modprobe read. */
const TABLES = ["modules.builtin", "modules.builtin.modinfo", "modules.order"];

/** A kernel on disk; `modules` is sorted so that each comes after what it depends on. */
export interface Kernel {
  /** What `uname -r` prints. */
  release: string;
  /** The package version it came from. */
  version: string;
  image: string;
  modules: KernelModule[];
  directory: string;
}

/** The package that holds the newest kernel: its name carries the kernel's release and changes with it. */
export function kernelPackage(archive: Pick<Archive, "index">): PackageRecord {
  const meta = archive.index.find(META_PACKAGE);
  const relation = meta?.depends.flat().find(({ name }) => name.startsWith("linux-image-"));
  const found = relation && archive.index.find(relation.name);
  if (found === undefined)
    throw new ImageError("package-missing", `the archive has no kernel by way of ${META_PACKAGE}`);
  return found;
}

const directoryOf = (cache: string, found: PackageRecord) =>
  join(cache, "kernels", `${found.version.replaceAll(/[^A-Za-z0-9.+~-]/g, "_")}-${found.sha256.slice(0, 12)}`);

/** The kernel if it has been taken out of its package before. */
export async function findKernel(cache: string, found: PackageRecord): Promise<Kernel | undefined> {
  const directory = directoryOf(cache, found);
  const text = await readFile(join(directory, LIST), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const list = JSON.parse(text) as { format: number; release: string; version: string; modules: KernelModule[] };
  if (list.format !== FORMAT) return undefined;
  return { ...list, directory, image: join(directory, IMAGE) };
}

/** The decompressed bytes of a module. */
export const readModule = (kernel: Kernel, module: KernelModule): Promise<Uint8Array> =>
  readFile(join(kernel.directory, basename(module.path)));

/** A table file of the kernel's package (modules.builtin …), or undefined where it has none. */
export const readTable = (kernel: Kernel, name: string): Promise<Uint8Array | undefined> =>
  readFile(join(kernel.directory, name)).catch(() => undefined);

export const moduleTables: readonly string[] = TABLES;

/** What one pass over the package's files found. */
interface Contents {
  release: string;
  image: Uint8Array;
  /** Compressed, by kernel spelling. */
  modules: Map<string, { path: string; suffix: string; bytes: Uint8Array }>;
  tables: Map<string, Uint8Array>;
}

async function scan(entries: AsyncIterable<TarEntry>): Promise<Contents> {
  const contents: Contents = { release: "", image: new Uint8Array(0), modules: new Map(), tables: new Map() };
  for await (const entry of entries) {
    const image = /^\.?\/?boot\/vmlinu[xz]-(.+)$/.exec(entry.name);
    const file = /^\.?\/?(?:usr\/)?lib\/modules\/[^/]+\/(.+)$/.exec(entry.name)?.[1];
    if (image !== null && entry.type === "file") {
      contents.release = image[1] as string;
      contents.image = await entry.content();
    } else if (file !== undefined && entry.type === "file") {
      const match = /^kernel\/((?:.*\/)?([^/]+)\.ko)((?:\.\w+)?)$/.exec(file);
      if (match !== null) {
        const [, path = "", name = "", suffix = ""] = match;
        contents.modules.set(moduleName(name), { path, suffix, bytes: await entry.content() });
      } else if (TABLES.includes(file)) contents.tables.set(file, await entry.content());
    }
  }
  if (contents.release === "") throw new FormatError("the kernel package holds no boot/vmlinux");
  return contents;
}

/** The wanted modules with all they depend on, decompressed. */
async function decompressModules(
  contents: Contents,
): Promise<Map<string, { module: KernelModule; bytes: Uint8Array }>> {
  const ready = new Map<string, { module: KernelModule; bytes: Uint8Array }>();
  const waiting = [...wantedModules];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (ready.has(name)) continue;
    const packed = contents.modules.get(name);
    if (packed === undefined) throw new FormatError(`the kernel has no module ${name}`);
    const one = async function* () {
      yield packed.bytes;
    };
    const bytes = await collect(decompress(one(), compressionOf(packed.suffix)));
    const module = { ...readModinfo(bytes), name, path: packed.path };
    ready.set(name, { module, bytes });
    waiting.push(...module.depends);
  }
  return ready;
}

/** Takes the kernel out of its package file into the cache. Throws ImageError. */
export async function unpackKernel(cache: string, found: PackageRecord, debPath: string): Promise<Kernel> {
  const directory = directoryOf(cache, found);
  try {
    const contents = await withDeb(debPath, (deb) => scan(deb.data()));
    const ready = await decompressModules(contents);
    const modules = loadOrder([...wantedModules], (name) => ready.get(name)?.module);
    const list = { format: FORMAT, release: contents.release, version: found.version, modules };
    await mkdir(join(cache, "kernels"), { recursive: true });
    await replaceDirectory(directory, `unpack the kernel ${contents.release}`, async (partial) => {
      await writeSynced(join(partial, IMAGE), contents.image);
      for (const { module, bytes } of ready.values()) await writeSynced(join(partial, basename(module.path)), bytes);
      for (const [name, bytes] of contents.tables) await writeSynced(join(partial, name), bytes);
      await writeSynced(join(partial, LIST), new TextEncoder().encode(`${JSON.stringify(list, null, 1)}\n`));
    });
    return { ...list, directory, image: join(directory, IMAGE) };
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    await rm(debPath, { force: true });
    throw new ImageError("package-corrupt", `${found.name}: ${cause.message}`, { cause });
  }
}
