/** The options of `bulkhead run` as they are typed, checked and turned into values. */
import { MOST_DISKS, MOST_NETWORKS, MOST_SHARES } from "@bulkhead/hypervisor";
import type { PublishedPort } from "@bulkhead/network/node";
import { InvalidArgumentError } from "commander";
import { CliError } from "./failure.ts";
import { type NetworkRequest, usualNetworks } from "./network/request.ts";
import type { OrderedRule } from "./network/rules.ts";
import { checkProfileName } from "./profile/profile-file.ts";
import type { SharedFolder } from "./share-option.ts";
import type { VsockRequest } from "./vsock-option.ts";

/** The least memory that is tried; what a kernel needs depends on the kernel. */
export const LEAST_MEMORY_MIB = 16;

export interface RunOptions {
  readonly memory: number;
  /** MiB of the memory that the guest is asked to give up again. */
  readonly balloon?: number;
  readonly cpus: number;
  readonly disk: readonly string[];
  readonly kernel?: string;
  readonly initrd?: string;
  readonly append?: string;
  readonly firmware?: string;
  readonly persist?: boolean;
  /** Folders of this host that the guest sees. */
  readonly share?: readonly SharedFolder[];
  /** What the guest's network devices are plugged into; one NAT unless said otherwise. */
  readonly network?: readonly NetworkRequest[];
  readonly publish?: readonly PublishedPort[];
  readonly allow?: readonly OrderedRule[];
  readonly deny?: readonly OrderedRule[];
  /** File to write all frames to. */
  readonly capture?: string;
  /** Where programs of this host find the guest's sockets. */
  readonly vsock?: VsockRequest;
  /** Go on from the image's snapshot, or keep one. Default: true. */
  readonly snapshot?: boolean;
  /** File to write a profile to. */
  readonly profile?: string;
}

/** A whole number in a range, for commander. `1024`, and for sizes also `1G`. */
export const wholeNumber =
  (least: number, most: number, unit: string) =>
  (text: string): number => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(`Expected a whole number of ${unit} from ${least} to ${most}.`);
  };

/** For options that may be repeated, each value read by `parse`. */
export const collectAs =
  <T>(parse: (text: string) => T) =>
  (text: string, before: readonly T[] = []): readonly T[] => [...before, parse(text)];

export const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** Everything before the first `--`, and what follows it; `command` is undefined where there is no `--`. */
export function splitCommand(args: readonly string[]): { own: readonly string[]; command?: readonly string[] } {
  const at = args.indexOf("--");
  return at < 0 ? { own: args } : { own: args.slice(0, at), command: args.slice(at + 1) };
}

/** Refuses combinations that make no sense. Errors: `usage`. */
export function checkRun(image: string | undefined, options: RunOptions, command: readonly string[] | undefined): void {
  const refuse = (message: string): never => {
    throw new CliError("usage", message);
  };
  if (image === undefined) {
    if (options.kernel === undefined && options.firmware === undefined) {
      refuse("nothing to run: name an IMAGE (bulkhead images lists them), or give --kernel or --firmware");
    }
    if (command !== undefined) refuse("a COMMAND needs an IMAGE: only its guests know how to run one");
    if (options.persist === true) refuse("--persist needs an IMAGE: disks given with --disk are always written to");
    if (options.initrd !== undefined && options.kernel === undefined) refuse("--initrd needs --kernel or an IMAGE");
  }
  if (options.profile !== undefined) checkProfileName(options.profile);
  if (command?.length === 0) refuse("expected a COMMAND after --; leave -- out for an interactive console");
  if (options.disk.length > MOST_DISKS)
    refuse(`a machine has at most ${MOST_DISKS} disks, ${options.disk.length} are given`);
  const { memory, balloon = 0 } = options;
  if (balloon > memory) refuse(`--balloon ${balloon} is more than the guest's memory of ${memory} MiB`);
  const { share = [] } = options;
  if (share.length > MOST_SHARES) refuse(`a machine has at most ${MOST_SHARES} shares, ${share.length} are given`);
  checkNetwork(options, refuse);
}

function checkNetwork(
  { network = usualNetworks, publish, allow, deny, capture }: RunOptions,
  refuse: (message: string) => never,
): void {
  const devices = network.filter(({ kind }) => kind !== "none");
  if (network.length > 1 && devices.length < network.length) refuse("--network none goes with no other --network");
  if (devices.length > MOST_NETWORKS) {
    refuse(`a machine has at most ${MOST_NETWORKS} networks, ${devices.length} are given`);
  }
  const nats = network.filter(({ kind }) => kind === "nat").length;
  if (nats > 1) refuse("--network nat can be given once only");
  const needsNat = Object.entries({ publish, allow, deny }).find(([, value]) => value !== undefined)?.[0];
  if (needsNat !== undefined && nats === 0) refuse(`--${needsNat} is for the NAT: add --network nat`);
  if (capture !== undefined && devices.length === 0) refuse("--capture needs a network");
}
