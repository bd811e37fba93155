/** Names that the host knows without asking anybody. @spec hosts(5) */

import { canonicalName, loopbackRanges } from "../../policy/rule.ts";
import { type IpAddress, inRange, parseIp } from "../../wire/address.ts";

/** Addresses by name. The host's own loopback is left out: for a guest it is another machine. */
export function parseHosts(text: string): Map<string, IpAddress[]> {
  const names = new Map<string, IpAddress[]>();
  for (const line of text.split("\n")) {
    const [first = "", ...rest] = line.replace(/#.*/, "").trim().split(/\s+/);
    const address = parseIp(first);
    if (address === undefined || loopbackRanges.some((range) => inRange(address, range))) continue;
    for (const name of rest.map(canonicalName)) names.set(name, [...(names.get(name) ?? []), address]);
  }
  return names;
}
