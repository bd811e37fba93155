/** Gets ready what the chosen workloads need: compiled programs, guests, and the sessions that measure in them. */
import { join } from "node:path";
import { ensureImage } from "../packages/guests/src/index.ts";
import { hostCompiler } from "./build/compiler.ts";
import { guestFiles, writeInitrd } from "./build/initrd.ts";
import { compilePrograms, programNames } from "./build/programs.ts";
import type { Emulator, GuestDescription } from "./emulators/emulator.ts";
import { writePayloadDisk } from "./payload/payload.ts";
import { writeTestDisks } from "./payload/test-disks.ts";
import { bootSession, bootWorkloads } from "./sessions/boot-session.ts";
import { busyboxSession, busyboxWorkloads } from "./sessions/busybox-session.ts";
import { type DebianGuest, debianSession, debianWorkloads } from "./sessions/debian-session.ts";
import { hartsSession, hartsWorkloads } from "./sessions/harts-session.ts";
import { type IoSetting, ioSession, ioWorkloads } from "./sessions/io-session.ts";
import type { Session } from "./sessions/session.ts";
import { shareSession, shareWorkloads } from "./sessions/share-session.ts";
import { v86Session } from "./sessions/v86-session.ts";
import { crossCompiler } from "./tools/cross-compiler.ts";
import { writeProgramDisk } from "./tools/guest-programs.ts";
import { findIperf } from "./tools/iperf.ts";
import { imagePackages } from "./workloads/real-programs.ts";
import type { Workload } from "./workloads/workload.ts";

/** The image with the real programs; users see it in `bulkhead images` and may remove it. */
const IMAGE = "bench";
const MEMORY_MIB = 1024;
const IO_MEMORY_MIB = 512;
const CONSOLE = "console=ttyS0 panic=-1";
const QUIET = `${CONSOLE} quiet loglevel=1`;

export interface Preparation {
  readonly chosen: readonly Workload[];
  readonly cache: string;
  /** A directory for this run's guests. */
  readonly scratch: string;
  /** Machines with guests of their own. */
  readonly v86: readonly Emulator[];
  readonly signal: AbortSignal;
  onProgress(text: string): void;
}

export interface Prepared {
  readonly sessions: readonly Session[];
  readonly compiler: string;
  /** Where the small programs are as this host runs them; undefined where it has no compiler. */
  readonly nativePrograms: string | undefined;
}

/** Prepares. Errors: `tool-missing`, `build-failed`, and an `ImageError` where an image cannot be built. */
export async function prepare(wanted: Preparation): Promise<Prepared> {
  const { chosen, cache, onProgress } = wanted;
  const uses = (workloads: readonly Workload[]): boolean => workloads.some((each) => chosen.includes(each));
  onProgress("compile programs");
  const compiler = await crossCompiler(cache, onProgress);
  const programs = await compilePrograms(cache, "riscv64", compiler);
  const native = hostCompiler();
  const nativePrograms = native && (await compilePrograms(cache, "host", native));
  const sessions: Session[] = [];
  if (uses(bootWorkloads)) sessions.push(bootSession(await busyboxGuest(wanted, undefined)));
  for (const each of wanted.v86) sessions.push(v86Session(each));
  if (uses(busyboxWorkloads)) sessions.push(busyboxSession(await busyboxGuest(wanted, programs)));
  if (uses(hartsWorkloads)) sessions.push(hartsSession(await busyboxGuest(wanted, programs)));
  if (uses(debianWorkloads)) sessions.push(debianSession(await debianGuest(wanted, programs), wanted.scratch));
  if (uses(ioWorkloads)) sessions.push(ioSession(await ioSetting(wanted)));
  if (uses(shareWorkloads)) sessions.push(shareSession(await busyboxGuest(wanted, programs), wanted.scratch));
  return { sessions, compiler: compiler.version, nativePrograms };
}

async function image(name: string, { signal, onProgress }: Preparation, include: readonly string[] = []) {
  return await ensureImage(name, {
    ...(include.length > 0 && { include }),
    // Loaded only to build: the machine under test runs in processes of its own, and may be another revision.
    runMachine: async (run) => (await import("../packages/bulkhead/src/build-machine.ts")).buildMachine(run),
    signal,
    onProgress: ({ text, fraction }) => onProgress(`build image ${name}: ${Math.floor(fraction * 100)} %: ${text}`),
  });
}

/** @param programs the directory of programs to put into it, or none. */
async function busyboxGuest(wanted: Preparation, programs: string | undefined): Promise<GuestDescription> {
  const { kernel, initrd: imageInitrd } = await image("busybox", wanted);
  const initrd = join(wanted.scratch, programs === undefined ? "boot.cpio" : "programs.cpio");
  const files = programs === undefined ? new Map() : await guestFiles(programs, await programNames());
  await writeInitrd(initrd, imageInitrd, files);
  return { kernel, initrd, append: QUIET, memoryMiB: MEMORY_MIB, cpus: 1, disks: [] };
}

async function ioSetting(wanted: Preparation): Promise<IoSetting> {
  const { cache, scratch, onProgress } = wanted;
  const programs = join(scratch, "io-programs.raw");
  await writeProgramDisk(programs, cache, onProgress);
  onProgress("write test disks");
  const disks = writeTestDisks(scratch);
  const iperf = await findIperf(cache, onProgress);
  const guest = { ...(await busyboxGuest(wanted, undefined)), memoryMiB: IO_MEMORY_MIB, disks: [programs] };
  return { guest, disks, iperf, scratch };
}

async function debianGuest(wanted: Preparation, programs: string): Promise<DebianGuest> {
  const { kernel, initrd, append, disk } = await image(IMAGE, wanted, imagePackages);
  if (disk === undefined) throw new TypeError("an image with packages has a disk");
  const payload = join(wanted.scratch, "payload.raw");
  await writePayloadDisk(payload, await guestFiles(programs, ["clock", "timed"]));
  const disks = [disk, payload] as const;
  return { kernel, initrd, append: `${append} bulkhead.console panic=-1`, memoryMiB: MEMORY_MIB, cpus: 1, disks };
}
