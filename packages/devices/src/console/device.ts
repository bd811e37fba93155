/**
 * Console device with many ports: port 0 is queues 0 and 1, control queues are 2 and 3, port n is queues 2n+2 and 2n+3.
 * Without MULTIPORT there is port 0 only, and it is always open. @spec virtio "Console Device"
 */
import type { Chain } from "../chain.ts";
import { DeviceId } from "../virtio.ts";
import type { DeviceTransport, VirtioDevice } from "../virtio-device.ts";
import { CONTROL_BYTES, ControlEvent, encodeControl, outgoing, parseControl, type TerminalSize } from "./control.ts";
import { Port, type PortHost, type PortOptions } from "./ports.ts";
import { CONSOLE_STATE_VERSION, type ConsoleState, checkConsoleState } from "./state.ts";

const Feature = { size: 1n << 0n, multiport: 1n << 1n } as const;

/** Most bytes in one buffer: bounds what is handed to the host at a time. Linux sends at most 128 KiB. */
const MAX_CHAIN_BYTES = 1024 * 1024;
const QUEUE = { size: 128, maxChainBytes: MAX_CHAIN_BYTES };
const CONTROL_RECEIVE = 2;
const CONTROL_TRANSMIT = 3;

const receiveQueue = (port: number): number => (port === 0 ? 0 : port * 2 + 2);
/** The port of a data queue; of its two queues the even one is the guest's input. */
const portOf = (queue: number): number => (queue < 2 ? 0 : (queue >> 1) - 1);

export class Console implements VirtioDevice, PortHost {
  readonly id = DeviceId.console;
  readonly queues: readonly (typeof QUEUE)[];
  readonly features = Feature.size | Feature.multiport;
  readonly config = new Uint8Array(12);
  readonly ports: readonly Port[];
  #size: TerminalSize = { columns: 80, rows: 24 };
  #transport!: DeviceTransport;

  /** @param ports port 0 first; at most 31, which is what Linux gives a device. */
  constructor(ports: readonly PortOptions[]) {
    if (ports.length < 1 || ports.length > 31) throw new Error(`a console has 1 to 31 ports, not ${ports.length}`);
    this.ports = ports.map((options, id) => new Port(id, options, this));
    this.queues = Array.from({ length: ports.length * 2 + 2 }, () => QUEUE);
    this.#describe();
  }

  attach(transport: DeviceTransport): void {
    this.#transport = transport;
  }

  ready(): void {
    if (!this.#multiport) this.ports[0].setGuestOpen(true);
  }

  notify(queue: number): void {
    if (this.#multiport && queue === CONTROL_RECEIVE) this.#sendControl();
    else if (this.#multiport && queue === CONTROL_TRANSMIT) this.#receiveControl();
    else this.#notifyPort(queue);
  }

  /** Whatever the guest had opened is closed; bytes that wait for it go to its next driver. */
  reset(): void {
    for (const port of this.ports) {
      port.pending.clear();
      port.setGuestOpen(false);
    }
  }

  /** Tells the guest the size of the terminal behind its console ports. */
  resize(columns: number, rows: number): void {
    this.#size = { columns, rows };
    this.#describe();
    if (this.#transport.running && (this.#transport.features & Feature.size) !== 0n) this.#transport.configChanged();
    for (const port of this.ports) {
      if (port.console && port.guestOpen) port.pending.add("resize");
    }
    this.#sendControl();
    this.#transport.signal();
  }

  deliver(port: Port): void {
    this.#fill(port);
    this.#transport.signal();
  }

  announce(port: Port): void {
    port.pending.add("portOpen");
    this.#sendControl();
    this.#transport.signal();
  }

  collect(port: Port): void {
    this.#drain(port);
    this.#transport.signal();
  }

  save(): ConsoleState {
    return { version: CONSOLE_STATE_VERSION, ...this.#size, ports: this.ports.map((port) => port.save()) };
  }

  /** Errors: `StateError` if the state belongs to other ports. */
  restore(saved: unknown): void {
    const names = this.ports.map(({ name }) => name);
    const state = checkConsoleState(saved, names);
    this.#size = { columns: state.columns, rows: state.rows };
    this.#describe();
    for (const [id, port] of this.ports.entries()) port.restore(state.ports[id]);
  }

  get #multiport(): boolean {
    return (this.#transport.features & Feature.multiport) !== 0n;
  }

  #describe(): void {
    const view = new DataView(this.config.buffer);
    view.setUint16(0, this.#size.columns, true);
    view.setUint16(2, this.#size.rows, true);
    view.setUint32(4, this.ports.length, true);
  }

  #notifyPort(queue: number): void {
    const port = this.ports[portOf(queue)];
    if (port.id > 0 && !this.#multiport) return;
    if (queue % 2 === 0) this.#fill(port);
    else this.#drain(port);
  }

  /** Moves waiting bytes to the guest. Linux throws away what comes for a port that nobody has opened, so that waits. */
  #fill(port: Port): void {
    if (!port.guestOpen) return;
    const queue = this.#transport.queue(receiveQueue(port.id));
    while (port.backlogBytes > 0) {
      const chain = queue.next();
      if (chain === undefined) return;
      if (chain.writable === 0) this.#transport.fail("a console's receive buffer is not writable");
      port.fill(chain.writeViews(port.backlogBytes));
      chain.complete();
      port.delivered();
    }
  }

  /** Takes what the guest has sent, as long as the host can take it. */
  #drain(port: Port): void {
    if (!this.#transport.running) return;
    const queue = this.#transport.queue(receiveQueue(port.id) + 1);
    while (!port.paused) {
      const chain = queue.next();
      if (chain === undefined) return;
      const bytes = chain.read(chain.readable);
      chain.complete();
      if (bytes.length > 0) port.receive(bytes);
    }
  }

  /** Sends what is pending as long as the guest has buffers. Each port has each message at most once: it is bounded. */
  #sendControl(): void {
    if (!this.#transport.running || !this.#multiport) return;
    const queue = this.#transport.queue(CONTROL_RECEIVE);
    for (const port of this.ports) {
      for (const event of outgoing) {
        if (!port.pending.has(event)) continue;
        const chain = queue.next();
        if (chain === undefined) return;
        port.pending.delete(event);
        if (!this.#writeControl(chain, encodeControl(port, event, this.#size))) return;
      }
    }
  }

  #writeControl(chain: Chain, message: Uint8Array): boolean {
    const fits = chain.writable >= message.length;
    if (fits) chain.write(message);
    else this.#transport.fail("a console's control buffer is too small");
    chain.complete();
    return fits;
  }

  #receiveControl(): void {
    const queue = this.#transport.queue(CONTROL_TRANSMIT);
    for (let chain = queue.next(); chain !== undefined; chain = queue.next()) {
      const bytes = chain.read(CONTROL_BYTES);
      chain.complete();
      if (bytes.length === CONTROL_BYTES) this.#handleControl(bytes);
    }
    this.#sendControl();
  }

  #handleControl(bytes: Uint8Array<ArrayBuffer>): void {
    const { port: id, event, value } = parseControl(bytes);
    if (event === ControlEvent.deviceReady && value === 1) {
      for (const port of this.ports) port.pending.add("portAdd");
      return;
    }
    const port = this.ports[id];
    if (port === undefined) return;
    if (event === ControlEvent.portReady && value === 1) this.#introduce(port);
    if (event === ControlEvent.portOpen) this.#setGuestOpen(port, value === 1);
  }

  /** What a driver is told about a port that it has set up. */
  #introduce(port: Port): void {
    if (port.console) port.pending.add("consolePort").add("resize");
    if (port.name !== "") port.pending.add("portName");
    if (port.hostOpen) port.pending.add("portOpen");
  }

  #setGuestOpen(port: Port, open: boolean): void {
    port.setGuestOpen(open);
    this.#fill(port);
  }
}
