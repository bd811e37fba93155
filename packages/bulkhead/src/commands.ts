/** What the commands of the CLI do. `program.ts` declares them; `main.ts` turns what they throw into an exit code. */
import { access, constants } from "node:fs/promises";
import { checkShare, claimDisk, type Partition } from "@bulkhead/hypervisor/node";
import { parseDisk } from "./disk-option.ts";
import { failures } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import { imageTable } from "./image-table.ts";
import type { BuildContext, Images } from "./images.ts";
import { describeRun, type ReadyImage, type Use, writesToHost } from "./launch.ts";
import { Networks } from "./network/networks.ts";
import { usualNetworks } from "./network/request.ts";
import { inOrder } from "./network/rules.ts";
import { checkRun, type RunOptions } from "./options.ts";
import { claimProfileFile, writeProfileFile } from "./profile/profile-file.ts";
import { profileTable } from "./profile/table.ts";
import type { Handlers } from "./program.ts";
import { duration, ProgressLine } from "./progress-line.ts";
import { type CommandOptions, runCommand } from "./run-command.ts";
import { runConsole } from "./run-console.ts";
import { onSignals } from "./signals.ts";
import { Keeper, startKept } from "./snapshot/keeper.ts";
import { keptSnapshot } from "./snapshot/kept.ts";
import type { Streams } from "./streams.ts";
import { type GuestSockets, openSockets } from "./vsock-option.ts";

/**
 * The handlers for one invocation. @param command what stood behind `--`. @param images loaded when first needed. @param version
 * of the program.
 */
export function handlers(
  streams: Streams,
  command: readonly string[] | undefined,
  images: () => Promise<Images>,
  version: string,
): Handlers {
  return {
    run: (name, options) => run(name, options, command, streams, images, version),
    list: async (options) => {
      refuseCommand(command);
      const listed = await (await images()).list();
      const text = options.json === true ? JSON.stringify(listed, null, 2) : imageTable(listed);
      await streams.stdout.write(`${text}\n`);
      return 0;
    },
    build: async (name, options) => {
      refuseCommand(command);
      const catalogue = await images();
      await building(name, streams, (context) => catalogue.build(name, options, context));
      await streams.stderr.write(`${name}: built\n`);
      return 0;
    },
    remove: async (name) => {
      refuseCommand(command);
      await (await images()).remove(name);
      return 0;
    },
  };
}

function refuseCommand(command: readonly string[] | undefined): void {
  if (command !== undefined) throw new CliError("usage", "only bulkhead run takes a COMMAND behind --");
}

async function run(
  name: string | undefined,
  options: RunOptions,
  command: readonly string[] | undefined,
  streams: Streams,
  images: () => Promise<Images>,
  version: string,
): Promise<number> {
  checkRun(name, options, command);
  await checkFiles(options);
  if (options.profile !== undefined) await claimProfileFile(options.profile);
  const onWarning = (text: string): void => void streams.stderr.write(`bulkhead: ${text}\n`);
  const networks = await openNetworks(options, onWarning);
  let sockets: GuestSockets | undefined;
  try {
    sockets = await openSockets(options.vsock);
    const image = name === undefined ? undefined : await ready(name, streams, images);
    const use = command === undefined ? consoleUse(streams) : ({ kind: "command" } as const);
    const description = { ...describeRun(image, options, use), networks: networks.descriptions };
    const kept =
      name === undefined || use.kind !== "command" || image?.scratch === undefined
        ? undefined
        : keptSnapshot(name, options, description, version, image.scratch);
    const { partition, restored } = await startKept(description, kept, onWarning);
    networks.connect(partition.links);
    sockets?.join(partition.vsock);
    const keeper =
      kept === undefined || restored || name === undefined ? undefined : new Keeper(partition, kept, name, onWarning);
    return await runPartition(partition, name, options, command, streams, {
      shutDown: writesToHost(description),
      resumed: restored,
      ...(keeper === undefined ? {} : { onReady: () => keeper.keep(), onEnd: () => keeper.kept() }),
    });
  } finally {
    await sockets?.close();
    await networks.close();
  }
}

/** A port that is in use and the like is said before anything else happens. */
const openNetworks = (options: RunOptions, onWarning: (text: string) => void): Promise<Networks> =>
  Networks.open({
    networks: options.network ?? usualNetworks,
    publish: options.publish ?? [],
    rules: inOrder(options.allow, options.deny),
    ...(options.capture === undefined ? {} : { capture: options.capture }),
    onWarning,
  });

async function runPartition(
  partition: Partition,
  name: string | undefined,
  options: RunOptions,
  command: readonly string[] | undefined,
  streams: Streams,
  more: Pick<CommandOptions, "shutDown" | "resumed" | "onReady" | "onEnd">,
): Promise<number> {
  try {
    return await (command === undefined
      ? runConsole(partition, streams)
      : runCommand(partition, command, streams, {
          ...more,
          name: name ?? "guest",
          sync: options.share?.some(({ readOnly }) => !readOnly) ?? false,
          showConsole: process.env.BULKHEAD_DEBUG === "1",
        }));
  } finally {
    if (options.profile !== undefined) await reportProfile(partition, options.profile, streams);
  }
}

/** However the run ended, what it did until then is worth seeing. */
async function reportProfile(partition: Partition, path: string, { stderr }: Streams): Promise<void> {
  await partition.kill();
  const profile = await partition.profile;
  if (profile === undefined) return;
  await writeProfileFile(path, profile);
  await stderr.write(profileTable(profile, path));
}

const consoleUse = ({ stdin, stdout }: Streams): Use =>
  stdin.isTTY === true
    ? { kind: "console", terminal: true, rows: stdout.rows, columns: stdout.columns }
    : { kind: "console" };

async function ready(name: string, streams: Streams, images: () => Promise<Images>): Promise<ReadyImage> {
  const catalogue = await images();
  return building(name, streams, (context) => catalogue.ready(name, context));
}

/** Fails early, before an image is built for a run that cannot start. The partition checks again when it starts. */
async function checkFiles({ disk, share = [], kernel, initrd, firmware }: RunOptions): Promise<void> {
  for (const { path } of share) checkShare(path);
  for (const text of disk) await (await claimDisk(parseDisk(text))).release();
  for (const [what, path] of Object.entries({ kernel, initrd, firmware })) {
    if (path !== undefined) await access(path, constants.R_OK).catch((cause) => refuseFile(what, path, cause));
  }
}

function refuseFile(what: string, path: string, cause: NodeJS.ErrnoException): never {
  const missing = cause.code === "ENOENT" || cause.code === "ENOTDIR";
  const why = missing ? "there is no such file" : `cannot be read (${cause.code})`;
  throw new CliError(missing ? "file-missing" : "file-unreadable", `${what} ${path}: ${why}`, { cause });
}

/** Does work that may build an image: with progress on stderr, and ended by a signal. */
async function building<T>(name: string, streams: Streams, work: (context: BuildContext) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const line = new ProgressLine(streams.stderr, true);
  const ignore = onSignals((signal) => {
    // A build that does not heed the first signal is not waited for; what it leaves, the next one sweeps.
    if (abort.signal.aborted) process.exit(failures.killed.exit);
    abort.abort(new CliError("killed", `building ${name} was stopped by ${signal}`));
  });
  try {
    return await work({
      signal: abort.signal,
      onProgress: ({ text, fraction, secondsLeft }) => {
        const left = Number.isFinite(secondsLeft) ? `, ${duration(secondsLeft)} left` : "";
        line.show(`${name}: ${Math.floor(fraction * 100)} %${left}: ${text}`);
      },
    });
  } catch (error) {
    abort.signal.throwIfAborted();
    throw error;
  } finally {
    ignore();
    await line.clear();
  }
}
