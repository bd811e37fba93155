// A package mirror on the loopback interface, for tests: an archive of made-up packages signed with a key of its own,
// and ways to misbehave.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { createCleartextMessage, generateKey, type Key, type PrivateKey, readPrivateKey, sign } from "openpgp";
import { writeAr } from "../formats/ar.ts";
import { type TarHeader, writeTar } from "../formats/tar.ts";

const encoder = new TextEncoder();
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** A file of a made-up package. */
export type MadeFile = Partial<TarHeader> & { name: string; content?: Uint8Array };

/** A made-up package: `fields` are lines of its control file beyond name, version and architecture. */
export interface MadePackage {
  name: string;
  version?: string;
  fields?: string[];
  files?: MadeFile[];
  /** Control files other than `control`. */
  control?: Record<string, string>;
}

/** The bytes of a package file. */
export function makeDeb({
  name,
  version = "1",
  fields = [],
  files = [],
  control = {},
}: MadePackage): Uint8Array<ArrayBuffer> {
  const lines = [`Package: ${name}`, `Version: ${version}`, "Architecture: riscv64", ...fields, ""];
  const members = Object.entries({ control: lines.join("\n"), ...control });
  return writeAr([
    { name: "debian-binary", content: encoder.encode("2.0\n") },
    {
      name: "control.tar.gz",
      content: gzipSync(
        writeTar(members.map(([file, text]) => ({ name: `./${file}`, mode: 0o755, content: encoder.encode(text) }))),
      ),
    },
    { name: "data.tar.gz", content: gzipSync(writeTar([{ name: "./", type: "directory", mode: 0o755 }, ...files])) },
  ]);
}

/** Answers a request itself, or returns false to have it answered as usual. */
export type Misbehaviour = (path: string, request: IncomingMessage, response: ServerResponse) => boolean;

let signer: Promise<{ privateKey: PrivateKey; publicKey: Key }> | undefined;

/** A key pair, made once per process. */
export function testKeys(): Promise<{ privateKey: PrivateKey; publicKey: Key }> {
  signer ??= (async () => {
    const { privateKey } = await generateKey({ userIDs: [{ name: "test archive" }], format: "armored" });
    const key = await readPrivateKey({ armoredKey: privateKey });
    return { privateKey: key, publicKey: key.toPublic() };
  })();
  return signer;
}

/** A running mirror. */
export class LoopbackMirror implements AsyncDisposable {
  readonly files = new Map<string, Uint8Array>();
  readonly requests: string[] = [];
  misbehave: Misbehaviour = () => false;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  static async start(packages: readonly MadePackage[] = []): Promise<LoopbackMirror> {
    const mirror = new LoopbackMirror();
    await mirror.publish(packages);
    await new Promise<void>((resolve) => mirror.#server.listen(0, "127.0.0.1", resolve));
    return mirror;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/debian`;
  }

  /** Replaces the archive. `release` changes the text that gets signed. */
  async publish(packages: readonly MadePackage[], release: (text: string) => string = (text) => text): Promise<void> {
    this.files.clear();
    const paragraphs = packages.map((each) => {
      const { name, version = "1", fields = [], files = [] } = each;
      const deb = makeDeb(each);
      const filename = `pool/main/${name}_${version.replace(/^\d+:/, "")}_riscv64.deb`;
      this.files.set(`/${filename}`, deb);
      const installed = files.reduce((sum, { content }) => sum + (content?.length ?? 0), 0);
      return [
        `Package: ${name}`,
        `Version: ${version}`,
        "Architecture: riscv64",
        `Installed-Size: ${Math.ceil(installed / 1024)}`,
        ...fields,
        `Filename: ${filename}`,
        `Size: ${deb.length}`,
        `SHA256: ${sha256(deb)}`,
        "",
      ].join("\n");
    });
    const index = gzipSync(encoder.encode(paragraphs.join("\n")));
    const name = "main/binary-riscv64/Packages.gz";
    const text = [
      "Origin: Debian",
      "Suite: stable",
      "Codename: trixie",
      "Version: 13.0",
      "Date: Sat, 09 Aug 2025 12:00:00 UTC",
      "Acquire-By-Hash: yes",
      "SHA256:",
      ` ${sha256(index)} ${index.length} ${name}`,
      "",
    ].join("\n");
    const { privateKey } = await testKeys();
    const message = await createCleartextMessage({ text: release(text) });
    const signed = await sign({ message, signingKeys: privateKey });
    this.files.set("/dists/trixie/InRelease", encoder.encode(signed));
    this.files.set(`/dists/trixie/${name}`, index);
    this.files.set(`/dists/trixie/main/binary-riscv64/by-hash/SHA256/${sha256(index)}`, index);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(request.url ?? "").replace(/^\/debian/, "");
    this.requests.push(path);
    if (this.misbehave(path, request, response)) return;
    const content = this.files.get(path);
    if (content === undefined) {
      response.writeHead(404).end();
      return;
    }
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
    const headers = { etag: `"${sha256(content).slice(0, 16)}"` };
    if (range === undefined) {
      response.writeHead(200, { ...headers, "content-length": content.length }).end(content);
    } else {
      const from = Number(range);
      const rest = content.subarray(from);
      const extent = `bytes ${from}-${content.length - 1}/${content.length}`;
      response.writeHead(206, { ...headers, "content-length": rest.length, "content-range": extent }).end(rest);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Patience for tests: retries at once, stalls soon. */
export const impatience = { retries: 2, backoffMs: 1, stallMs: 300 };
