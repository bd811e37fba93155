/**
 * What guests may reach. The first rule that matches decides; without one everything may be reached but what the host
 * has for itself: its loopback, link-local addresses, and the services that clouds offer there.
 */
import { type IpAddress, type IpRange, inRange, parseRange } from "../wire/address.ts";
import { type Destination, matches, matchesName, type Rule } from "./rule.ts";

const range = (text: string): IpRange => {
  const found = parseRange(text);
  if (found === undefined) throw new Error(`${text} is no range`);
  return found;
};

/** Refused unless a rule allows them by address, range or `host`; neither a name nor `all` does. */
const guarded: readonly IpRange[] = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  // Metadata services outside of the link-local range.
  "100.100.100.200/32",
  "168.63.129.16/32",
  "192.0.0.192/32",
  "::/127",
  "fe80::/10",
  "fd00:ec2::254/128",
  "fd20:ce::254/128",
].map(range);

/** Addresses of IPv6 that carry one of IPv4 in their last bytes: mapped ones, and those of translators. */
const carriers: readonly IpRange[] = ["::ffff:0:0/96", "64:ff9b::/96", "::/96"].map(range);

/** The address that is really meant. */
export function plainAddress(address: IpAddress): IpAddress {
  const small = address.length === 16 && address.subarray(0, 15).every((byte) => byte === 0);
  const carried = !small && carriers.some((each) => inRange(address, each));
  return carried ? address.slice(12) : address;
}

export class Policy {
  readonly #rules: readonly Rule[];

  constructor(rules: readonly Rule[] = []) {
    this.#rules = rules;
  }

  /** Whether a guest may go there. */
  permits(destination: Destination): boolean {
    const plain = { ...destination, address: plainAddress(destination.address) };
    const isGuarded = guarded.some((each) => inRange(plain.address, each));
    for (const rule of this.#rules) {
      if (isGuarded && rule.allow && rule.target.kind === "all") continue;
      // A name must not lead where only an address is to lead: whoever answers for the name could choose.
      if (isGuarded && rule.allow && rule.target.kind === "name") continue;
      if (matches(rule, plain)) return rule.allow;
    }
    return !isGuarded;
  }

  /** Whether a guest may ask for a name. Rules about addresses and ports have nothing to say on names. */
  permitsName(name: string): boolean {
    for (const rule of this.#rules) {
      if (rule.target.kind === "ranges") continue;
      // Only some ports of everything, or of a name, are refused: then the name may still be asked for.
      if (!rule.allow && (rule.ports !== undefined || rule.protocol !== undefined)) continue;
      if (matchesName(rule, name)) return rule.allow;
    }
    return true;
  }

  /** Names have to be remembered only where a rule is about one. */
  get usesNames(): boolean {
    return this.#rules.some(({ target }) => target.kind === "name");
  }
}
