/** Shared folders: a tree of small files read by the guest's tar, and written by it. QEMU's are by 9p. */
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Emulator, GuestDescription } from "../emulators/emulator.ts";
import { readRow } from "../guest/read-rows.ts";
import type { RunningGuest } from "../guest/running-guest.ts";
import type { Target, Workload } from "../workloads/workload.ts";
import { measure, type Round, runLimited, type Session } from "./session.ts";

const BOOT_TIMEOUT_MS = 120_000;
const BOOT_SECONDS = 5;
const TAR_SECONDS = 15;
const MOUNT_LIMIT_SECONDS = 60;
const DIRECTORIES = 50;
const FILES_EACH = 100;
const FILE_BYTES = 4096;

const target: Target = { must: 1, aim: 2 };
const IN: Workload = { name: "share-in", title: "tar reads 5,000 small files", group: "share", unit: "s", target };
const OUT: Workload = { name: "share-out", title: "tar writes 5,000 small files", group: "share", unit: "s", target };

export const shareWorkloads: readonly Workload[] = [IN, OUT];

/** How the guest mounts a folder of each kind of machine. */
const mounts: Readonly<Record<Emulator["kind"], string>> = {
  bulkhead: "modprobe virtiofs; mount -t virtiofs share0 /mnt",
  qemu: "modprobe 9pnet_virtio; modprobe 9p; mount -t 9p -o trans=virtio,version=9p2000.L,msize=1048576 share0 /mnt",
  v86: "false",
};

/** @param guest the busybox guest with the small programs in /bench. @param scratch a directory for the folders. */
export function shareSession(guest: GuestDescription, scratch: string): Session {
  return {
    workloads: shareWorkloads,
    expectedSeconds: (wants) => BOOT_SECONDS + shareWorkloads.filter(({ name }) => wants(name)).length * TAR_SECONDS,
    async round(round) {
      const guests: { readonly guest: RunningGuest; readonly folder: string }[] = [];
      const template = join(scratch, "share-template");
      await writeTree(template);
      try {
        for (const [index, emulator] of round.emulators.entries()) {
          const folder = join(scratch, `share-${index}`);
          await mkdir(join(folder, "out"), { recursive: true });
          await cp(template, join(folder, "in"), { recursive: true });
          guests.push({ guest: await boot(round, emulator, { ...guest, share: folder }), folder });
        }
        // What is written is the archive of what was read, so that neither goes without the other.
        for (const { guest } of guests) await tar(round, guest, IN, "tar cf /tmp/files.tar -C /mnt/in .");
        for (const { guest } of guests) await tar(round, guest, OUT, "tar xf /tmp/files.tar -C /mnt/out; sync");
        await Promise.all(guests.map((each) => each.guest.stop()));
        for (const { guest, folder } of guests) {
          if (!(await isTree(join(folder, "out")))) round.problem(`files from ${guest.emulator.name} differ`);
        }
      } finally {
        for (const { folder } of guests) await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

function boot(round: Round, emulator: Emulator, guest: GuestDescription): Promise<RunningGuest> {
  return round.step(`${emulator.name}: boot, mount the share`, BOOT_SECONDS, async () => {
    const started = await round.start(emulator, guest);
    await started.until(/@bench ready/, BOOT_TIMEOUT_MS);
    const modules = "modprobe virtio_mmio 2>/dev/null";
    await runLimited(
      started,
      `sh -c '${modules}; ${mounts[emulator.kind]} && ls /mnt/in >/dev/null'`,
      MOUNT_LIMIT_SECONDS,
    );
    return started;
  });
}

async function tar(round: Round, guest: RunningGuest, workload: Workload, command: string): Promise<void> {
  const { name } = workload;
  const timed = `/bench/timed ${name} sh -c '${command}'`;
  await measure(round, guest, workload, TAR_SECONDS, timed, (output) => readRow(output, name));
}

/** Each file has content of its own, of one size. */
const content = (directory: number, file: number): Uint8Array => {
  const words = new Uint32Array(FILE_BYTES / 4);
  return new Uint8Array(words.map((_, index) => index * 40_503 + directory * FILES_EACH + file).buffer);
};
const path = (root: string, directory: number, file?: number): string =>
  file === undefined ? join(root, `d${directory}`) : join(root, `d${directory}`, `f${file}`);

async function writeTree(root: string): Promise<void> {
  for (let directory = 0; directory < DIRECTORIES; directory++) {
    await mkdir(path(root, directory), { recursive: true });
    for (let file = 0; file < FILES_EACH; file++)
      await writeFile(path(root, directory, file), content(directory, file));
  }
}

async function isTree(root: string): Promise<boolean> {
  if ((await readdir(root)).length !== DIRECTORIES) return false;
  for (let directory = 0; directory < DIRECTORIES; directory++) {
    for (let file = 0; file < FILES_EACH; file++) {
      const found = await readFile(path(root, directory, file)).catch(() => Buffer.alloc(0));
      if (!found.equals(content(directory, file))) return false;
    }
  }
  return true;
}
