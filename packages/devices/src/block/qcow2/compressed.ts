/** Compressed clusters, which are only read. @spec qcow2 "Compressed Clusters Descriptor" */
import { DiskError } from "../disk-error.ts";
import type { ImageFile } from "../image-file.ts";
import type { Mapping } from "./entry.ts";
import type { Qcow2Header } from "./header.ts";

/** Expands a stream with an unknown number of bytes behind it; it may give more than `most` bytes up, by a throw. */
export type Decompress = (kind: Qcow2Header["compression"], stream: Uint8Array, most: number) => Uint8Array;

/** Clusters kept expanded: a guest reads in smaller portions than a cluster. */
const MOST_KEPT = 16;

export class CompressedClusters {
  readonly #file: ImageFile;
  readonly #kind: Qcow2Header["compression"];
  readonly #clusterBytes: number;
  readonly #decompress: Decompress;
  readonly #kept = new Map<number, Uint8Array>();

  constructor(file: ImageFile, header: Qcow2Header, decompress: Decompress) {
    this.#file = file;
    this.#kind = header.compression;
    this.#clusterBytes = 2 ** header.clusterBits;
    this.#decompress = decompress;
  }

  /** A whole cluster's content. Errors: `disk-corrupt`, `disk-truncated`. */
  read(mapping: Mapping): Uint8Array {
    const kept = this.#kept.get(mapping.host);
    if (kept !== undefined) return kept;
    const content = this.#expand(mapping);
    if (this.#kept.size >= MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value ?? 0);
    this.#kept.set(mapping.host, content);
    return content;
  }

  /** A cluster's place may be used for something else from now on. */
  forget(host: number): void {
    this.#kept.delete(host);
  }

  #expand({ host, length }: Mapping): Uint8Array {
    if (length > 2 * this.#clusterBytes || host >= this.#file.size) throw this.#corrupt(host);
    const stream = new Uint8Array(length);
    const found = this.#file.read(host, stream);
    let content: Uint8Array;
    try {
      content = this.#decompress(this.#kind, stream.subarray(0, found), this.#clusterBytes);
    } catch (cause) {
      throw this.#corrupt(host, cause);
    }
    if (content.length !== this.#clusterBytes) throw this.#corrupt(host);
    return content;
  }

  #corrupt(host: number, cause?: unknown): DiskError {
    const where = `disk ${this.#file.name}: the qcow2 image is corrupt: the compressed cluster at ${host}`;
    return new DiskError("disk-corrupt", `${where} cannot be expanded`, { cause });
  }
}
