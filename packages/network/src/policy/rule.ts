/**
 * One rule of what guests may reach, as it is written on the command line: TARGET[:PORTS][/tcp|/udp], where TARGET is
 * an address, a range, a name, `*.name`, `host` (this host's own loopback) or `all`.
 */
import { type IpAddress, type IpRange, inRange, ip, parseRange } from "../wire/address.ts";

export interface Rule {
  readonly allow: boolean;
  readonly target:
    | { readonly kind: "all" }
    | { readonly kind: "ranges"; readonly ranges: readonly IpRange[] }
    | { readonly kind: "name"; readonly name: string; readonly below: boolean };
  /** First and last port; all of them where there is none. */
  readonly ports?: readonly [number, number];
  readonly protocol?: "tcp" | "udp";
}

/** A way out that a guest asks for. */
export interface Destination {
  readonly address: IpAddress;
  readonly port: number;
  readonly protocol: "tcp" | "udp" | "icmp";
  /** Names that the guest was told this address for. */
  readonly names: readonly string[];
}

export const loopbackRanges: readonly IpRange[] = [
  { address: ip("127.0.0.0"), bits: 8 },
  { address: ip("::1"), bits: 128 },
];

const NAME = /^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.?$/i;

/** A rule from its text, or a sentence that says what is wrong with it. */
export function parseRule(text: string, allow: boolean): Rule | string {
  const [, body, protocol] = /^(.*?)(?:\/(tcp|udp))?$/s.exec(text) ?? [];
  const { target: name, ports: portText } = splitPorts(body);
  const ports = portText === undefined ? undefined : parsePorts(portText);
  if (ports === null) return `${text}: expected a port or a range of ports from 1 to 65535 behind the colon`;
  const target = parseTarget(name);
  if (target === undefined) return `${text}: expected an address, a range like 10.0.0.0/8, a name, host or all`;
  return {
    allow,
    target,
    ...(ports === undefined ? {} : { ports }),
    ...(protocol === undefined ? {} : { protocol: protocol as "tcp" | "udp" }),
  };
}

/** `[fd00::/8]:443`, `10.0.0.0/8:80`, `name:80-90`, `:25`; an address of IPv6 without brackets has no ports. */
function splitPorts(text: string): { target: string; ports?: string } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed !== null) return { target: bracketed[1], ports: bracketed[2] };
  const colon = text.indexOf(":");
  if (colon < 0 || text.indexOf(":", colon + 1) >= 0) return { target: text };
  return { target: text.slice(0, colon), ports: text.slice(colon + 1) };
}

function parsePorts(text: string): readonly [number, number] | null {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return null;
  const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
  return first >= 1 && first <= last && last <= 65535 ? [first, last] : null;
}

function parseTarget(text: string): Rule["target"] | undefined {
  if (text === "all" || text === "*" || text === "") return { kind: "all" };
  if (text === "host") return { kind: "ranges", ranges: loopbackRanges };
  const range = parseRange(text);
  if (range !== undefined) return { kind: "ranges", ranges: [range] };
  // What looks like an address and is none is no name either.
  if (!NAME.test(text) || /^[\d./]+$/.test(text)) return undefined;
  const below = text.startsWith("*.");
  return { kind: "name", name: canonicalName(below ? text.slice(2) : text), below };
}

/** Names are the same whatever their case, with a dot at the end or without. */
export const canonicalName = (name: string): string => name.toLowerCase().replace(/\.$/, "");

/** Whether a name is the rule's, or below it where the rule says so. */
export function matchesName({ target }: Rule, name: string): boolean {
  if (target.kind === "all") return true;
  if (target.kind !== "name") return false;
  return target.below ? name.endsWith(`.${target.name}`) : name === target.name;
}

export function matches(rule: Rule, { address, port, protocol, names }: Destination): boolean {
  const { target, ports } = rule;
  if (rule.protocol !== undefined && rule.protocol !== protocol) return false;
  if (ports !== undefined && (protocol === "icmp" || port < ports[0] || port > ports[1])) return false;
  if (target.kind === "all") return true;
  if (target.kind === "ranges") return target.ranges.some((range) => inRange(address, range));
  return names.some((name) => matchesName(rule, name));
}
