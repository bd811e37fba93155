// From an image's name to its files: taken from the cache, or built there first. This is what `bulkhead run` calls.
// Building holds the cache's lock; what is built appears under its name only when it is complete.
import { copyFile, link, mkdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Key } from "openpgp";
import { Archive, SUITE } from "../archive/client.ts";
import type { Patience } from "../archive/download.ts";
import { findMirrors } from "../archive/mirror.ts";
import type { PackageRecord } from "../archive/package-index.ts";
import { useProxies } from "../archive/proxies.ts";
import { busyboxInitramfs } from "../busybox/image.ts";
import { BUSYBOX_PACKAGE, readBusybox } from "../busybox/tree.ts";
import { cacheDirectory } from "../cache/directory.ts";
import { withLock } from "../cache/lock.ts";
import { replaceDirectory } from "../cache/replace-directory.ts";
import { writeSynced } from "../cache/replace-file.ts";
import { sweep } from "../cache/sweep.ts";
import { type PackageSet, packageSet } from "../debian/base-set.ts";
import { buildDebian, debianAppend, debianPhases } from "../debian/image.ts";
import { asImageError, ImageError } from "../error.ts";
import { FormatError } from "../formats/format-error.ts";
import { findKernel, type Kernel, kernelPackage, unpackKernel } from "../kernel/store.ts";
import type { RunMachine } from "../machine.ts";
import { type OnProgress, type Phase, ProgressMeter } from "../progress.ts";
import { catalogue, unknownImage } from "./catalogue.ts";
import {
  type ImageKind,
  imageDirectory,
  isImageName,
  MANIFEST_FORMAT,
  type Manifest,
  readManifest,
} from "./manifest.ts";
import { recipe } from "./recipe.ts";

const MIB = 1 << 20;
export const DEFAULT_DISK_MIB = 4096;

export interface EnsureOptions {
  /** Runs the guest that builds a disk; only needed for images that have one. */
  runMachine?: RunMachine;
  /** Debian packages to install beside the base; the image is then built under its own name. */
  include?: readonly string[];
  /** A mirror's address instead of those of this host's apt. */
  mirror?: string;
  /** Size of the disk, of which the host stores only what is written; by default as before, or 4096. */
  diskMiB?: number;
  onProgress?: OnProgress;
  signal?: AbortSignal;
  /** The cache directory instead of the environment's. */
  cache?: string;
  /** Builds even if the cache has the image. */
  rebuild?: boolean;
  /** Keys to trust and patience with the mirror instead of the usual; for tests and private archives. */
  keys?: readonly Key[];
  patience?: Patience;
}

/** An image's files. `append` is the kernel's command line; a console needs `bulkhead.console` besides. */
export interface Image {
  name: string;
  kind: ImageKind;
  kernel: string;
  initrd: string;
  disk?: string;
  append: string;
  manifest: Manifest;
}

function asImage(cache: string, manifest: Manifest): Image {
  const at = (file: string) => join(imageDirectory(cache, manifest.name), file);
  return {
    name: manifest.name,
    kind: manifest.kind,
    kernel: at(manifest.kernel),
    initrd: at(manifest.initrd),
    ...(manifest.disk === undefined ? {} : { disk: at(manifest.disk) }),
    append: manifest.append,
    manifest,
  };
}

/** What a name stands for: an entry of the catalogue, or an image of the user's own with packages added. */
interface Plan {
  name: string;
  kind: ImageKind;
  include: string[];
  diskMiB: number;
}

async function plan(name: string, cache: string, options: EnsureOptions): Promise<Plan> {
  if (!isImageName(name)) {
    throw new ImageError("image-name-invalid", `${name} cannot name an image: use letters, digits, dots and dashes`);
  }
  const include = [...new Set(options.include ?? [])].sort();
  const known = Object.hasOwn(catalogue, name) ? catalogue[name] : undefined;
  if (known !== undefined && include.length > 0) {
    throw new ImageError(
      "image-name-invalid",
      `${name} has fixed packages: choose another name for one with ${include.join(", ")}`,
    );
  }
  const built = await readManifest(cache, name);
  const diskMiB = options.diskMiB ?? built?.diskMiB ?? DEFAULT_DISK_MIB;
  if (known !== undefined) return { name, kind: known.kind, include: [], diskMiB };
  if (include.length > 0) return { name, kind: "debian", include, diskMiB };
  if (built === undefined) throw await unknownImage(name, cache);
  return { name, kind: built.kind, include: built.include, diskMiB };
}

async function cached(cache: string, { name, kind, include }: Plan): Promise<Manifest | undefined> {
  const manifest = await readManifest(cache, name);
  const same =
    manifest?.recipe === (await recipe(kind)) && JSON.stringify(manifest.include) === JSON.stringify(include);
  return same ? manifest : undefined;
}

/** Whether an image can be had without building it. */
export async function hasImage(name: string, options: { cache?: string } = {}): Promise<boolean> {
  const cache = options.cache ?? cacheDirectory();
  const planned = await plan(name, cache, {}).catch(() => undefined);
  return planned !== undefined && (await cached(cache, planned)) !== undefined;
}

/** An image's files, built first if the cache does not have them. Throws ImageError. */
export async function ensureImage(name: string, options: EnsureOptions = {}): Promise<Image> {
  const cache = options.cache ?? cacheDirectory();
  const planned = await plan(name, cache, options);
  const present = options.rebuild ? undefined : await cached(cache, planned);
  if (present !== undefined) return asImage(cache, present);
  const { signal } = options;
  const startedAt = new Date().toISOString();
  const onWait = () =>
    options.onProgress?.({
      phase: "wait",
      text: "wait for another build to end",
      fraction: 0,
      secondsLeft: Number.NaN,
    });
  try {
    return await withLock(
      join(cache, "lock"),
      async () => {
        const meanwhile = await cached(cache, planned);
        if (meanwhile !== undefined && !(options.rebuild && meanwhile.builtAt < startedAt))
          return asImage(cache, meanwhile);
        await sweep(cache, ["images", "kernels", "packages"]);
        const restore = useProxies();
        try {
          return asImage(cache, await build(cache, planned, options));
        } finally {
          restore();
        }
      },
      { signal, onWait },
    );
  } catch (error) {
    if (signal?.aborted && !(error instanceof ImageError && error.code === "interrupted")) {
      throw new ImageError("interrupted", `build ${name}: interrupted`, { cause: error });
    }
    throw asImageError(error, `build ${name}`);
  }
}

const sharedPhases: readonly Phase[] = [
  { name: "index", expectedMs: 5_000 },
  { name: "download", expectedMs: 20_000 },
  { name: "kernel", expectedMs: 8_000 },
];

async function build(cache: string, planned: Plan, options: EnsureOptions): Promise<Manifest> {
  const { name, kind, include } = planned;
  const { signal } = options;
  const own = kind === "debian" ? debianPhases(include.length * 4) : [{ name: "write", expectedMs: 500 }];
  const meter = new ProgressMeter([...sharedPhases, ...own], options.onProgress);
  meter.enter("index", "read the archive's index");
  const archive = await Archive.open({
    mirrors: await findMirrors({ suite: SUITE, mirror: options.mirror }),
    directory: join(cache, "packages"),
    keys: options.keys,
    patience: options.patience,
    signal,
    onIndexBytes: (taken, size) =>
      meter.step(taken / size / 2, `read the archive's index: ${mib(taken)} of ${mib(size)} MiB`),
  });
  const kernelRecord = kernelPackage(archive);
  const busyboxRecord = archive.index.find(BUSYBOX_PACKAGE);
  if (busyboxRecord === undefined) throw new ImageError("package-missing", `the archive has no ${BUSYBOX_PACKAGE}`);
  const packages: PackageSet =
    kind === "debian" ? packageSet(archive, include) : { base: [], added: [], roots: new Set() };
  const all = [...packages.base, ...packages.added];
  const known = await findKernel(cache, kernelRecord);
  const wanted = [...(known === undefined ? [kernelRecord] : []), busyboxRecord, ...all];
  await refuseFullDisk(cache, name, wanted, all, archive);
  meter.enter("download", "fetch packages");
  await archive.fetch(wanted, (taken, of, each) =>
    meter.step(taken / Math.max(1, of), `fetch packages: ${mib(taken)} of ${mib(of)} MiB (${each})`),
  );
  meter.enter("kernel", "unpack the kernel");
  const kernel = known ?? (await takeKernel(cache, kernelRecord, archive));
  signal?.throwIfAborted();
  const busybox = await readBusybox(archive.path(busyboxRecord));
  const manifest: Manifest = {
    format: MANIFEST_FORMAT,
    name,
    kind,
    recipe: await recipe(kind),
    include,
    builtAt: new Date().toISOString(),
    debian: { version: archive.release.version, date: archive.release.date },
    kernelRelease: kernel.release,
    kernel: "Image",
    initrd: "initrd.cpio",
    append: kind === "debian" ? debianAppend : "console=ttyS0",
    packages: [kernelRecord, busyboxRecord, ...all].map((each) => ({ name: each.name, version: each.version })),
  };
  await mkdir(join(cache, "images"), { recursive: true });
  await replaceDirectory(imageDirectory(cache, name), `build ${name}`, async (directory) => {
    await shareFile(kernel.image, join(directory, manifest.kernel));
    if (kind === "debian") {
      const { runMachine } = options;
      const { diskMiB } = planned;
      if (runMachine === undefined) throw new TypeError("an image with a disk needs runMachine");
      const path = (each: PackageRecord) => archive.path(each);
      const { mirror } = archive;
      await buildDebian({ directory, packages, path, kernel, busybox, mirror, diskMiB, runMachine, meter, signal });
      manifest.disk = "disk.raw";
      manifest.diskMiB = diskMiB;
    } else {
      meter.enter("write", "write the initramfs");
      await writeSynced(join(directory, manifest.initrd), await busyboxInitramfs(busybox, kernel).catch(corrupt(name)));
    }
    signal?.throwIfAborted();
    manifest.builtAt = new Date().toISOString();
    await writeSynced(
      join(directory, "manifest.json"),
      new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`),
    );
  });
  return manifest;
}

const mib = (bytes: number) => (bytes / MIB).toFixed(0);

const corrupt = (name: string) => (cause: unknown) => {
  if (!(cause instanceof FormatError)) throw cause;
  throw new ImageError("package-corrupt", `build ${name}: ${cause.message}`, { cause });
};

async function takeKernel(cache: string, found: PackageRecord, archive: Archive): Promise<Kernel> {
  const path = archive.path(found);
  const kernel = await unpackKernel(cache, found, path);
  // The package is large, and all that is needed of it is kept now.
  await rm(path, { force: true });
  return kernel;
}

/** The same file under a second name; a copy where the file system knows no links. */
async function shareFile(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to));
}

/** Refuses early what would fill the disk later. */
async function refuseFullDisk(
  cache: string,
  name: string,
  wanted: readonly PackageRecord[],
  laidOut: readonly PackageRecord[],
  archive: Archive,
): Promise<void> {
  let neededBytes = 64 * MIB;
  for (const each of wanted) {
    const present = await stat(archive.path(each)).catch(() => undefined);
    neededBytes += (present === undefined ? each.size : 0) + (laidOut.includes(each) ? 0 : each.installedBytes / 2);
  }
  // Laid out twice: in the payload, and on the disk.
  for (const each of laidOut) neededBytes += 2.2 * each.installedBytes;
  const space = await statfs(cache);
  const freeBytes = space.bavail * space.bsize;
  if (freeBytes >= neededBytes) return;
  throw new ImageError(
    "disk-full",
    `build ${name}: ${cache} has ${mib(freeBytes)} MiB free, ${mib(neededBytes)} MiB are needed`,
  );
}
