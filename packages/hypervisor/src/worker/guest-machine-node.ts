/**
 * A machine with its devices and bridges, as a partition's description asks for it: disks in the first virtio slots, in
 * their order, network devices, then the console device with the named ports, the entropy source, the balloon and the
 * socket device. It is what `MachineLoop` runs.
 */
import {
  Balloon,
  Block,
  type BlockBackend,
  Console,
  Entropy,
  MmioTransport,
  Net,
  type PortOptions,
  type QueuedDisk,
  type VirtioDevice,
  Vsock,
} from "@bulkhead/devices";
import {
  Activity,
  ActivityWord,
  type BootSource,
  type GuestImage,
  type GuestMemory,
  type HartThreadStart,
  HostClock,
  type InterruptLine,
  Machine,
  type MachineOptions,
  type ProcessorFactory,
  profiledDevice,
} from "@bulkhead/machine";
import { sharedNowMs } from "@bulkhead/machine/node";
import { macBytes } from "@bulkhead/network";
import { Doorbell } from "../channel/doorbell.ts";
import { openPartitionDisk } from "../disk/open-disk-node.ts";
import { ResizeOrder } from "../disk/resize-orders.ts";
import { HostError } from "../host-error.ts";
import { BalloonOrders } from "../memory/balloon-orders.ts";
import { giveBack } from "../memory/give-back-node.ts";
import { memoryReturn } from "../memory/memory-return-node.ts";
import type { DiskDescription, NetworkDescription } from "../partition/description.ts";
import type { LinkWiring, PortWiring, Wiring } from "../partition/wiring.ts";
import { type OpenShare, openShare } from "../share/open-share-node.ts";
import { HoldOrder } from "../snapshot/hold-order.ts";
import { blocksOf } from "../snapshot/restored-node.ts";
import type { PartitionState } from "../snapshot/saved-machine.ts";
import { WarmPages } from "../snapshot/warm-node.ts";
import { InputBridge, OutputBridge } from "./bridge.ts";
import { Holder, type HoldMessage } from "./holder.ts";
import { IdleWatch } from "./idle-watch.ts";
import { LinkBackend } from "./link-backend.ts";
import type { LoopMachine } from "./machine-loop.ts";
import { NearBackend } from "./near-backend.ts";
import { PacketBackend } from "./packet-backend.ts";
import { restoreMachine, SavedDevices, type SlotDevice } from "./saved-devices-node.ts";

const MIB = 1024 * 1024;

export interface GuestEvents {
  /** What the serial console prints. */
  printed(bytes: Uint8Array): void;
  /** Whether what was printed says that the guest's kernel has panicked. */
  panicked(): boolean;
  /** The host could not read or write a disk's file; the guest has been given an I/O error. */
  diskFailed(path: string, error: unknown): void;
  /** Something about a disk that the user should know, in a sentence. */
  diskWarned(sentence: string): void;
  /** A hart needs a thread of its own. */
  hartThread(start: HartThreadStart): void;
  /** The machine was paused, or its state taken. */
  held(message: HoldMessage): void;
}

/** A port of the console device, joined to its channels. */
interface JoinedPort {
  readonly input: InputBridge;
  readonly output: OutputBridge;
}

export class GuestMachine implements LoopMachine {
  readonly #machine: Machine;
  readonly #disks: readonly (BlockBackend | QueuedDisk)[];
  readonly #blocks: readonly Block[];
  readonly #resizes: readonly ResizeOrder[];
  readonly #owner: Doorbell;
  readonly #nets: readonly Net[];
  readonly #shares: readonly OpenShare[];
  readonly #vsock: Vsock | undefined;
  readonly #balloon: Balloon;
  readonly #balloonOrders: BalloonOrders;
  readonly #serialInput: InputBridge;
  readonly #serialOutput: OutputBridge;
  readonly #console: Console;
  readonly #ports: readonly JoinedPort[];
  /** What each hart does, while a profile is taken. */
  readonly #activities: readonly ActivityWord[] = [];
  readonly #cpus: number;
  readonly #idle = new IdleWatch();
  readonly #slots: SlotDevice[] = [];
  readonly #holder: Holder;
  readonly #order: Int32Array;
  readonly #warm: WarmPages | undefined;

  /** Errors: `HostError`, `BootError`, `StateError`. */
  constructor(wiring: Wiring, boot: BootSource, processor: ProcessorFactory, events: GuestEvents) {
    const { description, snapshot } = wiring;
    const saved = snapshot?.meta.state as PartitionState | undefined;
    const savable = saved !== undefined || description.snapshots === true;
    this.#order = new Int32Array(wiring.order);
    this.#warm = snapshot && new WarmPages(snapshot);
    this.#serialInput = new InputBridge(wiring.console);
    this.#serialOutput = new OutputBridge(wiring.console);
    const profile = description.profile !== undefined;
    this.#cpus = description.cpus;
    this.#machine = newMachine(description.memoryMiB, {
      processor,
      harts: description.cpus,
      boot,
      onOutput: (bytes) => {
        events.printed(bytes);
        if (!this.#serialOutput.send(bytes)) this.#machine.platform.uart.pause();
      },
      onRoom: () => this.#pumpSerialInput(),
      clock: new HostClock(saved?.machine.ticks, sharedNowMs),
      ...(savable && { pages: this.#warm?.source ?? true }),
      threads: { doorbell: wiring.partition, spawn: (start) => events.hartThread(start) },
      onReboot: () => (description.onReboot === "restart" && !events.panicked() ? "restart" : "stop"),
    });
    if (profile) this.#activities = this.#profileDevices();
    const { scratch } = description;
    this.#disks = description.disks.map((disk, i) =>
      openPartitionDisk(disk, {
        remote: wiring.diskThreads[i],
        scratch,
        onWarning: (text) => events.diskWarned(text),
        layered: savable,
        ...(snapshot && { stored: blocksOf(snapshot, i) }),
      }),
    );
    this.#resizes = description.disks.map((_, i) => new ResizeOrder(wiring.resizes, i));
    this.#owner = new Doorbell(wiring.owner);
    this.#ports = wiring.ports.map((port) => ({ input: new InputBridge(port), output: new OutputBridge(port) }));
    this.#console = new Console([{ onData: () => {} }, ...wiring.ports.map((port, i) => this.#portOptions(port, i))]);
    this.#blocks = this.#disks.map((disk, i) => newBlock(disk, description.disks[i], events));
    this.#nets = (description.networks ?? []).map((network, i) => newNet(network, wiring.links[i]));
    this.#shares = (description.shares ?? []).map((share, i) =>
      openShare(share, description.memoryMiB, wiring.shareThreads[i]),
    );
    this.#balloonOrders = new BalloonOrders(wiring.balloon);
    this.#balloon = newBalloon(this.#machine.memory, this.#balloonOrders, this.#owner);
    this.#vsock = newVsock(wiring);
    const sockets = this.#vsock === undefined ? [] : [this.#vsock];
    const devices = [
      ...this.#blocks,
      ...this.#nets,
      ...this.#shares.map(({ device }) => device),
      this.#console,
      new Entropy(),
      this.#balloon,
      ...sockets,
    ];
    for (const [slot, device] of devices.entries()) this.#attach(slot, device);
    this.#holder = new Holder(
      new HoldOrder(wiring.hold),
      new SavedDevices(this.#machine, this.#slots, this.#disks, () => this.#finishRequests(), this.#order),
      new Doorbell(wiring.partition),
      (message) => events.held(message),
    );
    if (snapshot === undefined || saved === undefined) this.#machine.start();
    else {
      this.#warm?.prepare(this.#machine.memory);
      restoreMachine(this.#machine, this.#slots, saved);
    }
  }

  /** Pauses and saves the machine as the owner wants it. */
  attend(): void {
    this.#holder.attend();
  }

  runSlice(): void {
    this.#machine.runSlice(this.#nets.some(({ lively }) => lively));
    for (const word of this.#activities) word.set(Activity.off);
    this.#asDevices(() => {
      for (const block of this.#blocks) block.work();
      for (const { device } of this.#shares) device.work();
      this.#resizeDisks();
      this.#balloon.setTarget(this.#balloonOrders.target);
      if (this.#balloonOrders.takeQuestion()) this.#balloon.askStatistics();
    });
  }

  pump(): void {
    this.#asDevices(() => this.#pump());
  }

  /** What another thread needs to look into the guest. */
  get image(): GuestImage {
    const { buffer, ramOffset, ramSize } = this.#machine.memory;
    return { buffer, ramOffset, ramSize, harts: this.#cpus, oneThread: this.#machine.harts.length === this.#cpus };
  }

  #pump(): void {
    this.#pumpSerialInput();
    if (this.#serialOutput.pump()) this.#machine.platform.uart.resume();
    for (const [index, { input, output }] of this.#ports.entries()) {
      const port = this.#console.ports[index + 1];
      input.pump((bytes) => port.write(bytes));
      if (input.ended && port.hostOpen) port.close();
      if (output.pump()) port.resume();
    }
    for (const net of this.#nets) net.work();
    this.#vsock?.work();
  }

  get delivered(): boolean {
    return this.#serialOutput.clear && this.#ports.every(({ output }) => output.clear);
  }

  get ended(): LoopMachine["ended"] {
    const { state } = this.#machine;
    if (state === "running") return undefined;
    return { reason: state.stopped === "reset" ? "reset" : "power-off", code: state.code };
  }

  idleMs(): number {
    if (this.#working) return 0;
    let idleMs = this.#machine.idleMs();
    for (const block of this.#blocks) idleMs = Math.min(idleMs, block.waitMs());
    return idleMs;
  }

  get halted(): boolean {
    const waits = this.#blocks.some(({ active }) => active) || this.#shares.some(({ device }) => device.active);
    return this.#machine.halted && !this.#working && !waits;
  }

  rest(seen: number, sleep: () => void): void {
    if (!this.#idle.rest(() => this.#machine.rest(seen, sleep))) return;
    this.#machine.trim();
    giveBack();
  }

  /** Ends the threads of further harts, gives the disks up, and tells the owner that there will be no more output. */
  close(): void {
    this.#machine.close();
    this.#warm?.finish(this.#machine.memory);
    for (const disk of this.#disks) disk.close?.();
    for (const share of this.#shares) share.close();
    this.#serialOutput.close();
    for (const { output } of this.#ports) output.close();
  }

  /** Work of devices outside of any hart's turn counts as the first hart's. */
  #asDevices(work: () => void): void {
    const [first] = this.#activities;
    if (first === undefined) work();
    else first.during(Activity.device, work);
  }

  #profileDevices(): readonly ActivityWord[] {
    const words = this.#machine.harts.map((_, hart) => new ActivityWord(this.#machine.memory, hart));
    const running = () => words.find((word) => word.current !== Activity.off) ?? words[0];
    this.#machine.bus.interpose((device) => profiledDevice(device, running));
    return words;
  }

  /** A disk still has requests to serve, or a network device frames to move. */
  get #working(): boolean {
    return (
      this.#vsock?.busy === true ||
      this.#blocks.some((block) => block.waitMs() === 0) ||
      this.#nets.some(({ busy }) => busy) ||
      this.#shares.some(({ device }) => device.busy)
    );
  }

  /** Lets the devices' requests that are under way come to their ends. */
  #finishRequests(): void {
    for (const block of this.#blocks) block.work();
    for (const { device } of this.#shares) device.work();
  }

  #resizeDisks(): void {
    for (const [index, order] of this.#resizes.entries()) {
      const bytes = order.take();
      if (bytes === undefined) continue;
      this.#blocks[index].resize(bytes, (error) => {
        order.reply(error === undefined ? "" : error instanceof Error ? error.message : String(error));
        this.#owner.ring();
      });
    }
  }

  #pumpSerialInput(): void {
    this.#serialInput.pump((bytes) => this.#machine.platform.uart.receive(bytes));
  }

  #portOptions({ name }: PortWiring, index: number): PortOptions {
    return {
      name,
      onData: (bytes) => {
        if (!this.#ports[index].output.send(bytes)) this.#console.ports[index + 1].pause();
      },
      onRoom: () => this.#ports[index].input.pump((bytes) => this.#console.ports[index + 1].write(bytes)),
    };
  }

  #attach(slot: number, device: VirtioDevice): void {
    const create = (line: InterruptLine): MmioTransport => new MmioTransport(device, this.#machine.memory, line);
    this.#slots.push({ device, transport: this.#machine.attachVirtio(slot, create) });
  }
}

function newMachine(memoryMiB: number, options: Omit<MachineOptions, "ramSize">): Machine {
  try {
    return new Machine({ ...options, ramSize: memoryMiB * MIB });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const message = `the host cannot give the guest ${memoryMiB} MiB of memory; ask for less with --memory`;
    throw new HostError("memory-unavailable", message, { cause });
  }
}

function newNet({ mac, mtu = 1500, nat = false }: NetworkDescription, link: LinkWiring): Net {
  const far = new LinkBackend(link);
  return new Net(nat ? new NearBackend(far, mtu) : far, { mac: macBytes(mac), mtu });
}

const newVsock = ({ description, vsock }: Wiring): Vsock | undefined =>
  description.vsock && vsock && new Vsock(new PacketBackend(vsock), description.vsock.cid);

/** A balloon whose size and statistics its owner hears of. */
const newBalloon = (memory: GuestMemory, orders: BalloonOrders, owner: Doorbell): Balloon =>
  new Balloon(memory, {
    discard: memoryReturn(memory),
    onActual: (bytes) => {
      orders.actual = bytes;
      owner.ring();
    },
    onStatistics: (statistics) => {
      orders.answer(statistics);
      owner.ring();
    },
  });

/** A block device that reports the first failure of its file; a guest repeats what fails. */
function newBlock(disk: BlockBackend | QueuedDisk, { path, limits }: DiskDescription, events: GuestEvents): Block {
  let reported = false;
  const onError = (error: unknown): void => {
    if (!reported) events.diskFailed(path, error);
    reported = true;
  };
  return new Block(disk, { onError, limits });
}
