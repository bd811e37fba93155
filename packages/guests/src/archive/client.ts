// A Debian archive on a mirror: opened by verifying its signed index, then asked for packages.
// Specification: Debian repository format. Everything it hands out has been checked against the signature.
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Key } from "openpgp";
import { asImageError, ImageError } from "../error.ts";
import { readDeb } from "../formats/deb.ts";
import { compressionOf, decompress } from "../formats/decompress.ts";
import { FormatError } from "../formats/format-error.ts";
import { type Download, fetchBytes, fetchFile, type Patience, usualPatience } from "./download.ts";
import { hostKeyring, knownKeys, parseKeyring } from "./keyring.ts";
import { PackageIndex, type PackageRecord } from "./package-index.ts";
import { parseRelease, type Release, type ReleaseFile, verifyRelease } from "./release.ts";

/** The suite, architecture and component that every image is made of. */
export const SUITE = "trixie";
export const ARCHITECTURE = "riscv64";
const indexOf = ({ architecture = ARCHITECTURE }: ArchiveOptions) => `main/binary-${architecture}/Packages`;
const suiteOf = ({ suite = SUITE }: ArchiveOptions) => suite;
const MOST_RELEASE_BYTES = 8 << 20;
const PARALLEL = 4;

export interface ArchiveOptions {
  /** Mirrors to try in order: the first that has the suite is used. */
  mirrors: readonly string[];
  /** Directory that packages are kept in, by checksum. */
  directory: string;
  /** Another release of Debian than the guests'. */
  suite?: string | undefined;
  /** Debian's name of the architecture whose packages are listed; the guests' by default. */
  architecture?: string | undefined;
  /** Keys to trust instead of the host's keyring. */
  keys?: readonly Key[] | undefined;
  patience?: Patience | undefined;
  signal?: AbortSignal | undefined;
  onIndexBytes?: (taken: number, size: number) => void;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1 << 18) yield bytes.subarray(at, at + (1 << 18));
}

/** An opened archive. */
export class Archive {
  readonly mirror: string;
  readonly release: Release;
  readonly index: PackageIndex;
  readonly #options: ArchiveOptions;

  private constructor(mirror: string, release: Release, index: PackageIndex, options: ArchiveOptions) {
    this.mirror = mirror;
    this.release = release;
    this.index = index;
    this.#options = options;
  }

  /** Opens the first mirror that has the suite. Throws the last mirror's ImageError where none does. */
  static async open(options: ArchiveOptions): Promise<Archive> {
    let last: unknown;
    for (const mirror of options.mirrors) {
      try {
        return await Archive.#openOne(mirror, options);
      } catch (error) {
        last = error;
        if (!(error instanceof ImageError) || !["mirror-status", "no-network", "download-stalled"].includes(error.code))
          break;
      }
    }
    throw last;
  }

  static async #openOne(mirror: string, options: ArchiveOptions): Promise<Archive> {
    const url = `${mirror}/dists/${suiteOf(options)}/InRelease`;
    const armored = new TextDecoder().decode(
      await fetchBytes({ ...common(options), url, mostBytes: MOST_RELEASE_BYTES }),
    );
    const trusted = options.keys ?? (await hostKeyring());
    if (trusted !== undefined) {
      const release = parseRelease(await verifyRelease(armored, trusted, url), suiteOf(options));
      return new Archive(mirror, release, await fetchIndex(mirror, release, options), options);
    }
    // No key on this host: the archive itself brings the keyring. Nothing of it is used before the signature has been
    // verified with those of its keys whose fingerprints are known beforehand.
    const unverified = parseRelease(armored.slice(armored.indexOf("\n\n") + 2), suiteOf(options));
    const index = await fetchIndex(mirror, unverified, options);
    const release = parseRelease(
      await verifyRelease(armored, await archiveKeys(mirror, index, options), url),
      suiteOf(options),
    );
    const listed = (each: Release) => each.files.get(`${indexOf(options)}.xz`)?.sha256;
    if (listed(release) !== listed(unverified))
      throw new ImageError("signature-invalid", `${url}: the signed text differs`);
    return new Archive(mirror, release, index, options);
  }

  /** Fetches packages that are not in the directory yet; returns their paths in the same order. */
  async fetch(
    packages: readonly PackageRecord[],
    onBytes: (taken: number, of: number, name: string) => void = () => {},
  ) {
    await mkdir(this.#options.directory, { recursive: true }).catch((error) => {
      throw asImageError(error, `create ${this.#options.directory}`);
    });
    const total = packages.reduce((sum, each) => sum + each.size, 0);
    const taken = new Map<PackageRecord, number>();
    const tell = (each: PackageRecord, bytes: number) => {
      taken.set(each, bytes);
      onBytes(
        [...taken.values()].reduce((sum, part) => sum + part, 0),
        total,
        each.name,
      );
    };
    const stop = new AbortController();
    const { signal } = this.#options;
    const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    // Large packages first: a late large one would otherwise be fetched alone.
    const waiting = [...packages].sort((a, b) => b.size - a.size);
    let failure: unknown;
    const worker = async () => {
      for (let each = waiting.shift(); each !== undefined; each = waiting.shift()) {
        try {
          await this.#fetchOne(each, either, tell);
        } catch (error) {
          // What made the others stop is what is reported, not that they were stopped.
          failure ??= error;
          stop.abort();
          return;
        }
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    if (failure !== undefined) throw failure;
    return packages.map((each) => this.path(each));
  }

  /** Where a package is kept once it has been fetched. */
  path({ name, sha256 }: PackageRecord): string {
    return join(this.#options.directory, `${name}-${sha256.slice(0, 32)}.deb`);
  }

  async #fetchOne(each: PackageRecord, signal: AbortSignal, tell: (each: PackageRecord, bytes: number) => void) {
    const path = this.path(each);
    // A file gets this name only after its checksum was verified; the size catches a damaged file system.
    const present = await stat(path).catch(() => undefined);
    if (present?.size !== each.size) {
      const { size, sha256 } = each;
      const url = `${this.mirror}/${each.filename.split("/").map(encodeURIComponent).join("/").replaceAll("%2B", "+")}`;
      const onBytes = (bytes: number) => tell(each, bytes);
      await fetchFile({ ...common(this.#options), url, size, sha256, signal, onBytes }, path);
    }
    tell(each, each.size);
  }
}

function common(options: ArchiveOptions): Pick<Download, "patience" | "signal"> {
  return { patience: options.patience ?? usualPatience, signal: options.signal };
}

async function fetchIndex(mirror: string, release: Release, options: ArchiveOptions): Promise<PackageIndex> {
  const index = indexOf(options);
  const name = [`${index}.xz`, `${index}.gz`, index].find((each) => release.files.has(each));
  if (name === undefined) throw new ImageError("archive-invalid", `${mirror} has no ${index}`);
  const file = release.files.get(name) as ReleaseFile;
  const onBytes = (taken: number) => options.onIndexBytes?.(taken, file.size);
  const plain = `${mirror}/dists/${suiteOf(options)}/${name}`;
  const hashed = `${plain.slice(0, plain.lastIndexOf("/"))}/by-hash/SHA256/${file.sha256}`;
  const get = (url: string) => fetchBytes({ ...common(options), ...file, url, onBytes });
  const bytes = await (release.byHash ? get(hashed) : get(plain)).catch((error) => {
    if (release.byHash && error instanceof ImageError && error.code === "mirror-status") return get(plain);
    throw error;
  });
  try {
    return await new PackageIndex().read(decompress(once(bytes), compressionOf(name)));
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new ImageError("archive-invalid", `${plain}: ${cause.message}`, { cause });
  }
}

async function archiveKeys(mirror: string, index: PackageIndex, options: ArchiveOptions): Promise<Key[]> {
  const found = index.find("debian-archive-keyring");
  if (found === undefined) throw new ImageError("keyring-missing", `${mirror} has no package debian-archive-keyring`);
  const { size, sha256 } = found;
  const bytes = await fetchBytes({ ...common(options), url: `${mirror}/${found.filename}`, size, sha256 });
  try {
    const deb = await readDeb({ size, read: async (at, length) => bytes.subarray(at, at + length) });
    for await (const entry of deb.data()) {
      if (entry.type === "file" && /\/debian-archive-keyring\.(pgp|gpg)$/.test(entry.name)) {
        return knownKeys(await parseKeyring(await entry.content(), entry.name));
      }
    }
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new ImageError("package-corrupt", `debian-archive-keyring: ${cause.message}`, { cause });
  }
  throw new ImageError("keyring-missing", "debian-archive-keyring holds no keyring");
}
