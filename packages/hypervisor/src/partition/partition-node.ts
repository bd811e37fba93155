/**
 * A partition as its owner sees it: started from a description, it runs in a thread of its own and is reached through
 * its ports. The owner's thread never runs guest code and never blocks.
 */
import type { Worker } from "node:worker_threads";
import type { MemoryStatistics } from "@bulkhead/devices";
import type { GuestImage } from "@bulkhead/machine";
import { Doorbell } from "../channel/doorbell.ts";
import { Mailbox } from "../channel/mailbox.ts";
import { claimDisk, type DiskClaim } from "../disk/claim-node.ts";
import { closeDiskThreads, startDiskThreads } from "../disk/disk-thread-node.ts";
import { ResizeOrder } from "../disk/resize-orders.ts";
import { watchSizes } from "../disk/watch-size-node.ts";
import { HostError, receiveError } from "../host-error.ts";
import { BalloonOrders } from "../memory/balloon-orders.ts";
import type { Profile } from "../profile/profile.ts";
import { Profiler } from "../profile/profiler-node.ts";
import { closeShareThreads, startShareThreads } from "../share/share-threads-node.ts";
import { openChecked } from "../snapshot/open-node.ts";
import { closeSnapshot } from "../snapshot/reader-node.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { type SnapshotSummary, Snapshots } from "../snapshot/snapshots-node.ts";
import { checkDescription } from "./check-description.ts";
import type { PartitionDescription, Stopped } from "./description.ts";
import { HartWorkers } from "./hart-workers-node.ts";
import { HostLink } from "./host-link.ts";
import { HostPort } from "./host-port.ts";
import { partitionThread } from "./spare-node.ts";
import { TranslatorThread, type WithTranslator } from "./translator-thread-node.ts";
import { Order, type PartitionMessage, type Wiring, wire } from "./wiring.ts";

/** How long a thread that was told to stop may take before it is ended from outside. */
const STOP_GRACE_MS = 2000;

export interface PartitionEvents {
  /** Something on the host failed that the guest sees as a failure of its own: one sentence. */
  onWarning?(text: string): void;
}

export class Partition {
  readonly console: HostPort;
  /** Ends of the network cables, in the order of the description. */
  readonly links: readonly HostLink[];
  /** End of the socket device's cable, if the description asks for one. */
  readonly vsock: HostLink | undefined;
  /** Settles when the partition has stopped: rejected with a `HostError` when its thread broke down. */
  readonly stopped: Promise<Stopped>;
  /** Settles after the end: what was asked for with `profile` in the description, undefined if nothing was. */
  readonly profile: Promise<Profile | undefined>;
  readonly #wiring: Wiring;
  readonly #ports: ReadonlyMap<string, HostPort>;
  readonly #worker: Worker;
  readonly #mailbox: Mailbox;
  readonly #snapshots: Snapshots;
  readonly #resizes: readonly ResizeOrder[];
  readonly #balloon: BalloonOrders;

  /** For `start` only. */
  constructor(
    wiring: Wiring,
    worker: Worker,
    mailbox: Mailbox,
    stopped: Promise<Stopped>,
    profile: Promise<Profile | undefined>,
    links: readonly HostLink[],
    vsock: HostLink | undefined,
    snapshots: Snapshots,
  ) {
    this.#snapshots = snapshots;
    this.#wiring = wiring;
    this.#worker = worker;
    this.#mailbox = mailbox;
    this.#resizes = wiring.description.disks.map((_, i) => new ResizeOrder(wiring.resizes, i));
    this.#balloon = new BalloonOrders(wiring.balloon);
    this.stopped = stopped;
    this.profile = profile;
    this.links = links;
    this.vsock = vsock;
    this.console = new HostPort(wiring.console, mailbox);
    this.#ports = new Map(wiring.ports.map((port) => [port.name, new HostPort(port, mailbox)]));
  }

  /**
   * Starts a partition; resolves when its machine is built and runs. Errors: a `HostError` for a file, a disk or a
   * setting that cannot be used; nothing is left claimed then.
   */
  static async start(description: PartitionDescription, events: PartitionEvents = {}): Promise<Partition> {
    checkDescription(description);
    const snapshot = description.restore === undefined ? undefined : openChecked(description.restore, description);
    const claims = await claimDisks(description);
    for (const { disk, locked } of claims) if (!locked) events.onWarning?.(unlocked(disk.path));
    const release = async (): Promise<void> => {
      await Promise.all(claims.map((claim) => claim.release()));
    };
    try {
      const partition = await startThread(description, events, release, snapshot);
      partition.#watchDisks(claims, events);
      return partition;
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** A port by the name that the description gives it. */
  port(name: string): HostPort {
    const port = this.#ports.get(name);
    if (port === undefined) throw new RangeError(`the partition has no port ${name}`);
    return port;
  }

  /**
   * Makes a disk larger; the guest is told. Errors: `disk-format` if that cannot be done, and then its size is as before.
   * @param index of the description's disks.
   */
  async resizeDisk(index: number, bytes: number): Promise<void> {
    const order = this.#resizes[index];
    if (order === undefined) throw new RangeError(`the partition has no disk ${index}`);
    order.give(bytes);
    new Doorbell(this.#wiring.partition).ring();
    const ended = this.stopped.then(
      () => "the partition has stopped",
      () => "the partition has failed",
    );
    for (;;) {
      const seen = this.#mailbox.doorbell.count;
      const { answer } = order;
      if (answer === "") return;
      if (answer !== undefined) throw new HostError("disk-format", answer);
      const over = await Promise.race([ended, this.#mailbox.doorbell.changed(seen)]);
      if (over !== undefined) throw new HostError("disk-format", `a disk cannot be resized: ${over}`);
    }
  }

  /** Bytes in the guest's balloon now. */
  get balloonBytes(): number {
    return this.#balloon.actual;
  }

  /**
   * Asks the guest to give up so much of its memory; it does what it can, as fast as it can. Errors: RangeError.
   * @param bytes at most the memory that it has; 0 gives it all back.
   */
  setBalloon(bytes: number): void {
    const most = this.#wiring.description.memoryMiB * 2 ** 20;
    if (!(bytes >= 0 && bytes <= most)) throw new RangeError(`a balloon has 0 to ${most} bytes, not ${bytes}`);
    this.#balloon.target = bytes;
    new Doorbell(this.#wiring.partition).ring();
  }

  /** What the guest says about its memory, which need not be true; undefined once it has stopped. Waits for a driver. */
  async memoryStatistics(): Promise<MemoryStatistics | undefined> {
    const answer = this.#balloon.ask();
    new Doorbell(this.#wiring.partition).ring();
    const ended = this.#ended().then(() => true);
    for (;;) {
      const seen = this.#mailbox.doorbell.count;
      const statistics = answer();
      if (statistics !== undefined) return statistics;
      if (await Promise.race([ended, this.#mailbox.doorbell.changed(seen)])) return undefined;
    }
  }

  /** Stops the guest between two instructions, with no request to the host under way, until `resume`. */
  pause(): Promise<void> {
    return this.#snapshots.pause();
  }

  resume(): Promise<void> {
    return this.#snapshots.resume();
  }

  /**
   * Saves the machine as it is now, in a file that replaces what is under its name when it is whole. The guest goes on after a moment,
   * unless it is paused. Pages that are as in the snapshot before are taken from there by reference. Errors: `snapshot-failed`,
   * and then everything is as before. @param onHeld is told as soon as what is saved does not change any more.
   */
  snapshot(path: string, onHeld?: () => void): Promise<SnapshotSummary> {
    return this.#snapshots.save(path, onHeld);
  }

  /** A raw disk's file that grows is a disk that grows. */
  #watchDisks(claims: readonly DiskClaim[], events: PartitionEvents): void {
    const disks = claims.map(({ disk, format }) => ({ ...disk, format }));
    const sizes = claims.map(({ bytes }) => bytes);
    const end = watchSizes(disks, sizes, (index, bytes) => {
      this.resizeDisk(index, bytes).catch((error: Error) => events.onWarning?.(error.message));
    });
    void this.#ended().then(end);
  }

  /** Stops the partition behind the last byte that the guest has sent so far. The ports must go on being read. */
  async drain(): Promise<void> {
    this.#order(Order.drain);
    await this.#ended();
  }

  /** Stops the partition at once, as if its power had failed; resolves when its thread has ended. */
  async kill(): Promise<void> {
    this.#order(Order.stop);
    const overdue = setTimeout(() => void this.#worker.terminate(), STOP_GRACE_MS);
    await this.#ended();
    clearTimeout(overdue);
  }

  #order(order: number): void {
    give(this.#wiring, order);
  }

  async #ended(): Promise<void> {
    await this.stopped.catch(() => {});
  }
}

/** Gives an order to a partition's thread. */
function give({ order: memory, partition }: Wiring, order: number): void {
  const word = new Int32Array(memory);
  if (Atomics.load(word, 0) < order) Atomics.store(word, 0, order);
  new Doorbell(partition).ring();
}

async function claimDisks(description: PartitionDescription): Promise<DiskClaim[]> {
  const claims: DiskClaim[] = [];
  try {
    for (const disk of description.disks) claims.push(await claimDisk(disk));
    return claims;
  } catch (error) {
    await Promise.all(claims.map((claim) => claim.release()));
    throw error;
  }
}

async function startThread(
  description: PartitionDescription,
  events: PartitionEvents,
  release: () => Promise<void>,
  snapshot: Snapshot | undefined,
): Promise<Partition> {
  const plain = { ...wire(description), snapshot };
  const threads = await startDiskThreads(description.disks, plain.partition, (text) => events.onWarning?.(text));
  const shareThreads = await startShareThreads(description, plain.partition, (text) => events.onWarning?.(text)).catch(
    async (error) => {
      await closeDiskThreads(threads);
      throw error;
    },
  );
  const wiring: Wiring = {
    ...plain,
    diskThreads: threads.map((thread) => thread?.wiring),
    shareThreads: shareThreads.map((thread) => thread?.memory),
  };
  new BalloonOrders(wiring.balloon).target = (description.balloonMiB ?? 0) * 2 ** 20;
  const mailbox = new Mailbox(new Doorbell(wiring.owner));
  const links = wiring.links.map((link) => new HostLink(link));
  const snapshots = new Snapshots(wiring);
  const vsock = wiring.vsock && new HostLink(wiring.vsock);
  const started = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<Stopped>();
  let profiler: Profiler | undefined;
  const fail = (error: HostError): void => {
    started.reject(error);
    stopped.reject(error);
  };
  // Whoever awaits `stopped` sees the rejection; a partition nobody waits for must not end the process with it.
  stopped.promise.catch(() => {});
  started.promise.catch(() => {});
  let end: (() => void) | undefined;
  const breakDown = (error: HostError): void => {
    end ??= () => fail(error);
    give(wiring, Order.stop);
    void harts.end();
  };
  const translator = new TranslatorThread(description.cpus, breakDown);
  const harts = new HartWorkers(description.profile !== undefined, translator, snapshot, breakDown);
  const [port] = translator.ports;
  const workerData: Wiring & WithTranslator = { ...wiring, translator: port };
  const worker = partitionThread(workerData, [port]);
  worker.on("message", (message: PartitionMessage) => {
    if (message.kind === "started") {
      profiler = startProfiler(wiring, message.image);
      started.resolve();
    } else if (message.kind === "warning") events.onWarning?.(message.text);
    else if (message.kind === "hart") harts.start(message.start);
    else if (message.kind === "paused" || message.kind === "held" || message.kind === "not-held")
      snapshots.heard(message);
    else if (message.kind === "failed") end ??= () => fail(receiveError(message.error));
    else end ??= () => stopped.resolve(message.stopped);
  });
  worker.on("error", (cause) => {
    end ??= () => fail(threadFailed(cause));
  });
  worker.on("exit", async () => {
    mailbox.close();
    snapshots.end();
    for (const link of links) link.close();
    vsock?.close();
    profiler?.stop();
    await closeDiskThreads(threads);
    await closeShareThreads(shareThreads);
    await harts.end();
    await translator.end();
    await release();
    if (snapshot !== undefined) closeSnapshot(snapshot);
    const killed = (): void => stopped.resolve({ reason: "killed", code: 0, lastLines: [] });
    (end ?? killed)();
    started.reject(new HostError("partition-failed", "the partition's thread ended before its machine was built"));
  });
  await started.promise;
  const profile = profiler?.profile ?? Promise.resolve(undefined);
  return new Partition(wiring, worker, mailbox, stopped.promise, profile, links, vsock, snapshots);
}

function startProfiler({ description, profile }: Wiring, image: GuestImage | undefined): Profiler | undefined {
  if (description.profile === undefined || profile === undefined || image === undefined) return undefined;
  return new Profiler({ image, intervalMs: description.profile.intervalMs, order: profile });
}

const unlocked = (path: string): string =>
  `disk ${path}: this host has no flock program to lock it with; make sure that nothing else uses it`;

const threadFailed = (cause: unknown): HostError =>
  new HostError(
    "partition-failed",
    `the partition's thread failed: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  );
