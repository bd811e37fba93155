// The debian image: a kernel, an initramfs and an ext4 disk, which a guest builds for itself.
// Called by images/ensure.ts with the packages fetched. The host lays the files out as a tar archive; the building
// guest makes the file system, unpacks them, and runs the packages' own scripts.
import { open, rm, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { PackageRecord } from "../archive/package-index.ts";
import { batches } from "../archive/resolve.ts";
import { writeSynced } from "../cache/replace-file.ts";
import { ImageError } from "../error.ts";
import type { Kernel } from "../kernel/store.ts";
import type { MachineStop, RunMachine } from "../machine.ts";
import type { Phase, ProgressMeter } from "../progress.ts";
import type { PackageSet } from "./base-set.ts";
import { BuildConsole, type BuildEvent } from "./build-console.ts";
import { extendedStates } from "./database.ts";
import { buildInitramfs, startInitramfs } from "./initramfs.ts";
import { writePayload } from "./payload.ts";
import { maskedUnits, ROOT_LABEL, settings } from "./settings.ts";

const MIB = 1 << 20;
const BUILD_MEMORY_MIB = 1024;
const BUILD_TIMEOUT_MS = 60 * 60_000;
const TIMEOUT_PER_PACKAGE_MS = 2 * 60_000;
/** Less free space than this after a failure means the space was its cause. */
const FULL_BYTES = 16 * MIB;

/** The kernel's command line for the finished image. */
export const debianAppend = `console=ttyS0 root=LABEL=${ROOT_LABEL} rw`;

/** The phases of a build, for its meter. */
export const debianPhases = (added: number): Phase[] => [
  { name: "lay out", expectedMs: 8_000 + added * 300 },
  { name: "format", expectedMs: 6_000 },
  { name: "unpack", expectedMs: 30_000 },
  { name: "configure", expectedMs: 120_000 },
  ...(added > 0 ? [{ name: "install", expectedMs: added * 4_000 }] : []),
  { name: "finish", expectedMs: 10_000 },
];

/** What a build needs; files go into `directory`, which is thrown away if it fails. */
export interface DebianBuild {
  directory: string;
  packages: PackageSet;
  path(each: PackageRecord): string;
  kernel: Kernel;
  busybox: Uint8Array;
  mirror: string;
  diskMiB: number;
  runMachine: RunMachine;
  meter: ProgressMeter;
  signal?: AbortSignal | undefined;
}

async function createSparse(path: string, bytes: number): Promise<void> {
  const handle = await open(path, "wx", 0o644);
  try {
    await handle.truncate(bytes);
  } finally {
    await handle.close();
  }
}

/** Tells the meter what the guest says. */
function reporter(
  meter: ProgressMeter,
  payloadBytes: number,
  { base, added }: PackageSet,
): (event: BuildEvent) => void {
  const configured = new Set<string>();
  let addedSteps = 0;
  let step = "";
  return (event) => {
    if (event.kind === "step") {
      step = event.name;
      meter.enter(step, `${step} in the guest`);
    } else if (event.kind === "read" && step === "unpack") {
      meter.step(event.bytes / payloadBytes, "unpack in the guest");
    } else if (event.kind === "setting-up" && step === "configure") {
      configured.add(event.name);
      meter.step(configured.size / base.length, `set up ${event.name}`);
    } else if ((event.kind === "setting-up" || event.kind === "unpacking") && step === "install") {
      addedSteps++;
      const verb = event.kind === "unpacking" ? "unpack" : "set up";
      meter.step(addedSteps / (2 * added.length), `${verb} ${event.name}`);
    }
  };
}

async function explain(heard: BuildConsole, stop: MachineStop, directory: string): Promise<ImageError> {
  const { log, failure } = heard;
  const space = await statfs(directory).catch(() => undefined);
  if (space !== undefined && space.bavail * space.bsize < FULL_BYTES) {
    return new ImageError("disk-full", `build debian: no space is left in ${dirname(directory)}`, { log });
  }
  const why = failure ?? `it stopped (${stop.stopped}) after: ${heard.lastLine}`;
  return new ImageError("build-failed", `build debian: the guest failed: ${why}`, { log });
}

/** Builds the image's files into `directory`. Throws ImageError. */
export async function buildDebian(build: DebianBuild): Promise<{ initrd: string; disk: string }> {
  const { directory, packages, kernel, busybox, meter, signal } = build;
  const [disk, payload, builder] = ["disk.raw", "payload.tar", "build.cpio"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  meter.enter("lay out", "lay out packages");
  const all = [...packages.base, ...packages.added];
  const installedBytes = all.reduce((sum, each) => sum + each.installedBytes, 0);
  const states = extendedStates(all, packages.roots, "riscv64");
  const handle = await open(payload, "wx", 0o644);
  let unpacked: Awaited<ReturnType<typeof writePayload>>;
  let payloadBytes = 0;
  try {
    unpacked = await writePayload(handle, {
      base: packages.base,
      addedBatches: packages.added.length > 0 ? batches(packages.added) : [],
      kernel,
      settings: [...(await settings(build.mirror)), { name: "var/lib/apt/extended_states", content: states }],
      path: build.path,
      onBytes: (done, { name }) => meter.step(done / installedBytes, `lay out ${name}`),
      signal,
    });
    payloadBytes = (await handle.stat()).size;
  } finally {
    await handle.close();
  }
  const order = { unpacked, base: packages.base, masked: Object.keys(maskedUnits), path: build.path };
  await writeSynced(builder, await buildInitramfs(busybox, kernel, order));
  await createSparse(disk, build.diskMiB * MIB);
  const heard = new BuildConsole(reporter(meter, payloadBytes, packages));
  const stop = await build.runMachine({
    kernel: kernel.image,
    initrd: builder,
    append: "console=ttyS0 quiet loglevel=3",
    memoryMiB: BUILD_MEMORY_MIB,
    disks: [disk, payload],
    onConsole: (bytes) => heard.take(bytes),
    timeoutMs: BUILD_TIMEOUT_MS + packages.added.length * TIMEOUT_PER_PACKAGE_MS,
    ...(signal ? { signal } : {}),
  });
  signal?.throwIfAborted();
  if (!heard.done || stop.stopped !== "poweroff") throw await explain(heard, stop, directory);
  const written = await open(disk, "r+");
  await written.sync().finally(() => written.close());
  await rm(payload);
  await rm(builder);
  const initrd = join(directory, "initrd.cpio");
  await writeSynced(initrd, await startInitramfs(busybox, kernel));
  return { initrd, disk };
}
