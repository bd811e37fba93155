/**
 * The networks of a run: for each device of the guest a switch, into which its cable and what it leads to are plugged.
 * Opened before the guest starts, so that what cannot be had is said at once.
 */
import { randomBytes } from "node:crypto";
import type { HostLink, NetworkDescription } from "@bulkhead/hypervisor";
import { type Frame, Gateway, Policy, type Rule, Switch, type SwitchPort, type SwitchTarget } from "@bulkhead/network";
import { Capture, hostClock, nodeHost, type PublishedPort, passt, publish, Segment, tap } from "@bulkhead/network/node";
import type { NetworkRequest } from "./request.ts";

export interface NetworkOptions {
  readonly networks: readonly NetworkRequest[];
  readonly publish: readonly PublishedPort[];
  readonly rules: readonly Rule[];
  readonly capture?: string;
  /** Told in a sentence what goes wrong while the guest runs. */
  onWarning(text: string): void;
}

/** Something that has to be given up at the end. */
interface Closable {
  close(): void | Promise<void>;
}

/** A network device of the guest, and the switch that its cable leads to. */
interface Cable {
  readonly device: Switch;
  readonly description: NetworkDescription;
  readonly vlan?: number;
}

export class Networks {
  readonly #cables: readonly Cable[];
  readonly #closables: readonly Closable[];
  readonly #capture: Capture | undefined;

  private constructor(cables: readonly Cable[], closables: readonly Closable[], capture: Capture | undefined) {
    this.#cables = cables;
    this.#closables = closables;
    this.#capture = capture;
  }

  /** Errors: `NetworkError`; nothing is left open then. */
  static async open(options: NetworkOptions): Promise<Networks> {
    const closables: Closable[] = [];
    try {
      const cables: Cable[] = [];
      for (const request of options.networks) {
        if (request.kind !== "none") cables.push(await openCable(request, options, closables));
      }
      const { capture: path, onWarning } = options;
      const capture = path === undefined ? undefined : await Capture.open(path, onWarning);
      if (capture !== undefined) closables.push(capture);
      return new Networks(cables, closables, capture);
    } catch (error) {
      for (const each of closables) await each.close();
      throw error;
    }
  }

  /** The guest's network devices. */
  get descriptions(): readonly NetworkDescription[] {
    return this.#cables.map(({ description }) => description);
  }

  /** Plugs the guest's cables in. @param links of the partition, which was made from `descriptions`. */
  connect(links: readonly HostLink[]): void {
    for (const [i, { device, vlan }] of this.#cables.entries()) {
      plugIn(device, links[i], vlan, this.#capture);
    }
  }

  async close(): Promise<void> {
    for (const each of this.#closables) await each.close();
  }
}

async function openCable(
  request: Exclude<NetworkRequest, { kind: "none" }>,
  options: NetworkOptions,
  closables: Closable[],
): Promise<Cable> {
  const device = new Switch();
  // A capture shows all frames, so none may be answered where it does not see them.
  const nat = request.kind === "nat" && options.capture === undefined;
  const cable = { device, description: { mac: randomMac(), ...(nat ? { nat } : {}) } };
  if (request.kind === "nat") {
    const gateway = openNat(device, options.rules);
    closables.push(gateway);
    for (const port of options.publish) closables.push(await publish(gateway, port));
  } else if (request.kind === "private") {
    closables.push(await Segment.join(device, request.name));
    return request.vlan === undefined ? cable : { ...cable, vlan: request.vlan };
  } else if (request.kind === "passt") closables.push(await passt(device, request.path, options.onWarning));
  else closables.push(await tap(device, request.where, options.onWarning));
  return cable;
}

function openNat(device: Switch, rules: readonly Rule[]): Gateway {
  const gateway = new Gateway({ clock: hostClock, host: nodeHost, policy: new Policy(rules) });
  gateway.attach(device.plug(gateway, { pinned: [gateway.mac] }));
  return gateway;
}

/** Locally administered, and no group's. */
function randomMac(): number {
  const bytes = randomBytes(6);
  bytes[0] = 0x02;
  return bytes.readUIntBE(0, 6);
}

function plugIn(device: Switch, link: HostLink, vlan: number | undefined, capture: Capture | undefined): void {
  const target: SwitchTarget = {
    get abilities() {
      return link.abilities;
    },
    deliver(frame: Frame): boolean {
      const taken = link.deliver(frame);
      if (taken) capture?.take(frame);
      return taken;
    },
    flush: () => link.flush(),
  };
  const port: SwitchPort = device.plug(target, vlan === undefined ? {} : { vlan });
  void link.listen({
    frame(frame) {
      capture?.take(frame);
      port.input(frame);
    },
    room: () => port.hasRoom(),
  });
}
