/**
 * What connects a partition's own thread with the thread that started it: channels, doorbells, a word of orders, and the
 * few messages that are not bytes. All of it can be posted to a thread.
 */
import type { GuestImage, HartThreadStart } from "@bulkhead/machine";
import { type ChannelMemory, channelMemory } from "../channel/channel.ts";
import { Doorbell } from "../channel/doorbell.ts";
import { type FrameMemory, frameMemory } from "../channel/frame-ring.ts";
import type { RemoteWiring } from "../disk/remote-wiring.ts";
import { resizeMemory } from "../disk/resize-orders.ts";
import type { PostedError } from "../host-error.ts";
import { balloonMemory } from "../memory/balloon-orders.ts";
import { holdMemory } from "../snapshot/hold-order.ts";
import type { HeldMachine } from "../snapshot/saved-machine.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { PartitionDescription, Stopped } from "./description.ts";

/** Bytes in flight per direction of a port. */
const PORT_BYTES = 256 * 1024;
const CONSOLE_BYTES = 64 * 1024;
/** Bytes of frames in flight per direction of a link: some thirty of the largest. */
const LINK_BYTES = 2 * 1024 * 1024;

/** What the partition's owner wants of its thread; a higher order overrides a lower one. */
export const Order = {
  run: 0,
  /** Hand over what the guest has already sent on its ports, then stop. */
  drain: 1,
  /** Stop at once. */
  stop: 2,
} as const;

export interface PortWiring {
  readonly name: string;
  /** To the guest. */
  readonly input: ChannelMemory;
  /** From the guest. */
  readonly output: ChannelMemory;
}

/** A cable between a network device and the owner, whose end has a doorbell of its own. */
export interface LinkWiring {
  readonly toGuest: FrameMemory;
  readonly fromGuest: FrameMemory;
}

export interface Wiring {
  readonly description: PartitionDescription;
  /** Doorbells of the owner's thread and of the partition's. */
  readonly owner: SharedArrayBuffer;
  readonly partition: SharedArrayBuffer;
  /** One word: an `Order`. */
  readonly order: SharedArrayBuffer;
  /** One word, a `ProfileOrder`, if a profile is taken. */
  readonly profile?: SharedArrayBuffer;
  readonly console: PortWiring;
  readonly ports: readonly PortWiring[];
  readonly links: readonly LinkWiring[];
  /** Cable of the socket device, if there is one. */
  readonly vsock?: LinkWiring;
  /** Threads that serve disks; undefined for those that the partition's own thread serves. */
  readonly diskThreads: readonly (RemoteWiring | undefined)[];
  /** Orders to pause and to hand over the machine's state: see `HoldOrder`. */
  readonly hold: SharedArrayBuffer;
  /** The snapshot to go on from. */
  readonly snapshot?: Snapshot;
  /** Memory in common with the threads that serve shared folders; undefined for those of the partition's own thread. */
  readonly shareThreads: readonly (SharedArrayBuffer | undefined)[];
  /** Orders to make disks larger. */
  readonly resizes: SharedArrayBuffer;
  /** What the balloon is to be, and what the guest says about its memory. */
  readonly balloon: SharedArrayBuffer;
}

/** What the thread of a further hart begins with. */
export interface HartWorkerStart {
  readonly start: HartThreadStart;
  /** Whether a profile is taken. */
  readonly profile: boolean;
  /** The snapshot that the machine goes on from. */
  readonly snapshot?: Snapshot;
}

export type PartitionMessage =
  /** A hart needs a thread: comes for each but the first while the machine is built. */
  | { readonly kind: "hart"; readonly start: HartThreadStart }
  /** The machine is built. `image` is for the profiler, if there is one: the machine waits for it. */
  | { readonly kind: "started"; readonly image?: GuestImage }
  /** The machine is paused, or has been asked to and goes on. */
  | { readonly kind: "paused"; readonly paused: boolean }
  /** What was asked for with `HoldOrder.askForState`, or why there is none. */
  | { readonly kind: "held"; readonly held: HeldMachine }
  | { readonly kind: "not-held"; readonly error: PostedError }
  /** Something went wrong on the host that the guest sees as a failure of its own, such as a full disk. */
  | { readonly kind: "warning"; readonly text: string }
  | { readonly kind: "stopped"; readonly stopped: Stopped }
  | { readonly kind: "failed"; readonly error: PostedError };

/** Makes the wiring of a partition. */
export function wire(description: PartitionDescription): Wiring {
  const owner = new Doorbell();
  const partition = new Doorbell();
  const port = (name: string, bytes: number): PortWiring => ({
    name,
    input: channelMemory(bytes, owner, partition),
    output: channelMemory(bytes, partition, owner),
  });
  return {
    description,
    owner: owner.memory,
    partition: partition.memory,
    order: new SharedArrayBuffer(4),
    profile: description.profile && new SharedArrayBuffer(4),
    console: port("console", CONSOLE_BYTES),
    ports: description.ports.map((name) => port(name, PORT_BYTES)),
    links: (description.networks ?? []).map(() => link(partition)),
    vsock: description.vsock && link(partition),
    diskThreads: description.disks.map(() => undefined),
    shareThreads: [],
    hold: holdMemory(),
    resizes: resizeMemory(description.disks.length),
    balloon: balloonMemory(),
  };
}

function link(partition: Doorbell): LinkWiring {
  const owner = new Doorbell();
  return {
    toGuest: frameMemory(LINK_BYTES, owner, partition),
    fromGuest: frameMemory(LINK_BYTES, partition, owner),
  };
}
