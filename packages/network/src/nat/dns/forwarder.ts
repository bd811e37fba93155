/**
 * Answers guests' queries with what the host's resolver says, as far as the policy lets names be asked for, and
 * remembers which addresses were given for which names, so that rules about names hold for connections.
 */
import type { Policy } from "../../policy/policy.ts";
import { canonicalName } from "../../policy/rule.ts";
import type { IpAddress } from "../../wire/address.ts";
import type { HostNetwork } from "../host.ts";
import { addressesIn, answers, failure, parseQuery, ResponseCode } from "./message.ts";

/** Queries under way at a time; more are not answered, and asked again by the guest. */
const MOST_QUERIES = 256;
/** Addresses whose names are remembered, and names of each. */
const MOST_ADDRESSES = 4096;
const MOST_NAMES = 16;

export class DnsForwarder {
  readonly #host: Pick<HostNetwork, "resolve">;
  readonly #policy: Policy;
  readonly #names = new Map<string, string[]>();
  #queries = 0;

  constructor(host: Pick<HostNetwork, "resolve">, policy: Policy) {
    this.#host = host;
    this.#policy = policy;
  }

  /** The answer to a message, or undefined where there is none. */
  async answer(message: Uint8Array<ArrayBuffer>, tcp: boolean): Promise<Uint8Array | undefined> {
    const query = parseQuery(message);
    if (query === undefined || this.#queries >= MOST_QUERIES) return undefined;
    // A query that went on would already tell something to whoever serves the name.
    if (!this.#policy.permitsName(query.name)) return failure(message, query, ResponseCode.refused);
    this.#queries++;
    try {
      const answer = await this.#host.resolve(message, tcp);
      if (answer === undefined || !answers(answer, query)) return failure(message, query, ResponseCode.serverFailure);
      if (this.#policy.usesNames) for (const address of addressesIn(answer)) this.#learn(address, query.name);
      return answer;
    } finally {
      this.#queries--;
    }
  }

  /** Names that guests were told an address for. */
  namesOf(address: IpAddress): readonly string[] {
    return this.#names.get(address.toHex()) ?? [];
  }

  #learn(address: IpAddress, name: string): void {
    const key = address.toHex();
    const names = (this.#names.get(key) ?? []).filter((each) => each !== name);
    this.#names.delete(key);
    if (this.#names.size >= MOST_ADDRESSES) {
      for (const oldest of this.#names.keys()) {
        this.#names.delete(oldest);
        break;
      }
    }
    this.#names.set(key, [...names.slice(-(MOST_NAMES - 1)), canonicalName(name)]);
  }
}
