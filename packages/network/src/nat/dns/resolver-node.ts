/**
 * The host's resolver: its hosts file, then the name servers it is set up with, which get guests' queries as they are.
 * A host without name servers is asked through its own libraries, which know addresses only.
 */
import { createSocket } from "node:dgram";
import { lookup, Resolver } from "node:dns/promises";
import { readFile, stat } from "node:fs/promises";
import { connect } from "node:net";
import { type IpAddress, parseIp } from "../../wire/address.ts";
import { parseHosts } from "./hosts-file.ts";
import { addressAnswer, answers, DNS_PORT, parseQuery, type Query, RecordType } from "./message.ts";

const ANSWER_MS = 3000;
/** Servers that are tried, one after the other. */
const MOST_SERVERS = 3;
const SERVERS_LAST_MS = 30_000;

let hosts: { readonly changedMs: number; readonly names: Map<string, IpAddress[]> } | undefined;

async function hostsFile(): Promise<Map<string, IpAddress[]>> {
  try {
    const { mtimeMs } = await stat("/etc/hosts");
    if (hosts?.changedMs !== mtimeMs) {
      hosts = { changedMs: mtimeMs, names: parseHosts(await readFile("/etc/hosts", "utf8")) };
    }
    return hosts.names;
  } catch {
    return new Map();
  }
}

let servers: { readonly sinceMs: number; readonly list: readonly string[] } | undefined;

function nameServers(): readonly string[] {
  const now = performance.now();
  if (servers === undefined || now - servers.sinceMs > SERVERS_LAST_MS) {
    servers = { sinceMs: now, list: new Resolver().getServers().slice(0, MOST_SERVERS) };
  }
  return servers.list;
}

/** An answer to a query, or undefined where there is none in time. */
export async function resolveOnHost(query: Uint8Array<ArrayBuffer>, tcp: boolean): Promise<Uint8Array | undefined> {
  const question = parseQuery(query);
  if (question === undefined) return undefined;
  if (question.type === RecordType.a || question.type === RecordType.aaaa) {
    const known = (await hostsFile()).get(question.name);
    if (known !== undefined) return addressAnswer(query, question, known);
  }
  const list = nameServers();
  if (list.length === 0) return lookUp(query, question);
  return askServers(list, query, question, tcp);
}

/** Asks servers, each in turn, until one answers. */
export async function askServers(
  list: readonly string[],
  query: Uint8Array<ArrayBuffer>,
  question: Query,
  tcp: boolean,
): Promise<Uint8Array | undefined> {
  for (const server of list) {
    const [, host, port] = /^\[?(.*?)\]?(?:(?<=\]|^[^:]*):(\d+))?$/.exec(server) ?? [];
    const ask = tcp ? askByTcp : askByUdp;
    const answer = await ask(host, Number(port ?? DNS_PORT), query, question);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** Each query has a socket, and so a port, of its own: answers are harder to make up. */
function askByUdp(
  host: string,
  port: number,
  query: Uint8Array<ArrayBuffer>,
  question: Query,
): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    const finish = (answer?: Uint8Array): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(finish, ANSWER_MS);
    socket.once("error", () => finish());
    socket.on("message", (answer: Uint8Array) => {
      if (answers(answer, question)) finish(answer);
    });
    socket.connect(port, host, () => socket.send(query));
  });
}

function askByTcp(
  host: string,
  port: number,
  query: Uint8Array<ArrayBuffer>,
  question: Query,
): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let received = Buffer.alloc(0);
    const finish = (answer?: Uint8Array): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ANSWER_MS, () => finish());
    socket.on("error", () => finish());
    socket.on("close", () => finish());
    socket.on("data", (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const answer = received.subarray(2, 2 + received.readUInt16BE(0));
      finish(answers(answer, question) ? answer : undefined);
    });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
  });
}

async function lookUp(query: Uint8Array<ArrayBuffer>, question: Query): Promise<Uint8Array | undefined> {
  if (question.type !== RecordType.a && question.type !== RecordType.aaaa) return addressAnswer(query, question, []);
  const found = await lookup(question.name, { all: true }).catch(() => undefined);
  if (found === undefined) return undefined;
  const addresses = found.flatMap(({ address }) => parseIp(address) ?? []);
  return addressAnswer(query, question, addresses);
}
