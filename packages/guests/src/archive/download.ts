// Fetching one file over HTTP(S): into a temporary file, checked by size and SHA-256, resumed after a break,
// moved into place only when it is whole and right. Called by archive/client.ts for all that is fetched.
import { createHash, type Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { replaceFile } from "../cache/replace-file.ts";
import { ImageError, systemCode } from "../error.ts";

/** How patient a download is. */
export interface Patience {
  /** How many times a broken transfer is taken up again. */
  retries: number;
  /** Pause before the first retry; doubles with each. */
  backoffMs: number;
  /** Longest silence before a transfer counts as stalled. */
  stallMs: number;
}

export const usualPatience: Patience = { retries: 4, backoffMs: 500, stallMs: 30_000 };

/** A file to fetch. Without `sha256` the content is unchecked: for what carries a signature. */
export interface Download {
  url: string;
  sha256?: string;
  size?: number;
  /** More bytes than this are refused where `size` is not known. */
  mostBytes?: number;
  patience?: Patience;
  signal?: AbortSignal | undefined;
  /** Hears how many bytes have been taken, from the start of the file. */
  onBytes?: (taken: number) => void;
}

type Sink = (chunk: Uint8Array) => Promise<void>;

interface Transfer {
  taken: number;
  hash: Hash;
  validator: string | undefined;
}

const RETRIED = new Set([408, 425, 429, 500, 502, 503, 504]);

class Retriable extends Error {
  readonly failure: ImageError;
  constructor(failure: ImageError) {
    super(failure.message);
    this.failure = failure;
  }
}

const retriable = (...parts: ConstructorParameters<typeof ImageError>) => new Retriable(new ImageError(...parts));

function interrupted(download: Download): ImageError {
  return new ImageError("interrupted", `fetch ${download.url}: interrupted`, { cause: download.signal?.reason });
}

/** One request, from where the transfer stands; `restart` empties the sink when the server sends all again. */
async function attempt(
  download: Download,
  transfer: Transfer,
  sink: Sink,
  restart: () => Promise<void>,
): Promise<void> {
  const { url, signal } = download;
  const { stallMs } = download.patience ?? usualPatience;
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(), stallMs);
  const stopped = (cause: unknown) => {
    if (signal?.aborted) return interrupted(download);
    if (stall.signal.aborted)
      return retriable("download-stalled", `fetch ${url}: nothing came for ${stallMs / 1000} s`);
    const why = systemCode(cause) ?? (cause instanceof Error ? cause.message : String(cause));
    return retriable(
      "no-network",
      `fetch ${url}: ${transfer.taken > 0 ? "the connection broke" : "no connection"} (${why})`,
      { cause },
    );
  };
  try {
    const headers: Record<string, string> = { "accept-encoding": "identity", "user-agent": "bulkhead" };
    if (transfer.taken > 0 && transfer.validator !== undefined) {
      headers.range = `bytes=${transfer.taken}-`;
      headers["if-range"] = transfer.validator;
    }
    const all = AbortSignal.any(signal ? [signal, stall.signal] : [stall.signal]);
    const response = await fetch(url, { headers, signal: all }).catch((cause) => {
      throw stopped(cause);
    });
    const resumed =
      response.status === 206 && response.headers.get("content-range")?.startsWith(`bytes ${transfer.taken}-`);
    if (response.status !== 200 && !resumed) {
      await response.body?.cancel().catch(() => {});
      const sentence = `fetch ${url}: the mirror answered ${response.status} ${response.statusText}`.trimEnd();
      const failure = new ImageError("mirror-status", sentence, { cause: response.status });
      throw RETRIED.has(response.status) || response.status === 206 || response.status === 416
        ? new Retriable(failure)
        : failure;
    }
    if (!resumed) await restart();
    const etag = response.headers.get("etag");
    transfer.validator =
      (etag?.startsWith('"') ? etag : undefined) ?? response.headers.get("last-modified") ?? undefined;
    const body = response.body?.getReader();
    for (;;) {
      const { done, value } = (await body?.read().catch((cause) => {
        throw stopped(cause);
      })) ?? { done: true, value: undefined };
      if (done) break;
      timer.refresh();
      if (transfer.taken + value.length > (download.size ?? download.mostBytes ?? Number.POSITIVE_INFINITY)) {
        await body?.cancel().catch(() => {});
        throw retriable(
          "checksum-mismatch",
          `fetch ${url}: more bytes than the ${download.size ?? download.mostBytes} promised`,
        );
      }
      transfer.hash.update(value);
      transfer.taken += value.length;
      await sink(value);
      download.onBytes?.(transfer.taken);
    }
  } finally {
    clearTimeout(timer);
  }
}

function check(download: Download, transfer: Transfer): void {
  const { url, size, sha256 } = download;
  if (size !== undefined && transfer.taken !== size) {
    throw retriable(
      "checksum-mismatch",
      `fetch ${url}: ${transfer.taken} bytes where the signed index promises ${size}`,
    );
  }
  const found = transfer.hash.digest("hex");
  if (sha256 !== undefined && found !== sha256) {
    throw retriable("checksum-mismatch", `fetch ${url}: SHA-256 ${found} where the signed index promises ${sha256}`);
  }
}

async function transferAll(download: Download, sink: Sink, empty: () => Promise<void>): Promise<void> {
  const { retries, backoffMs } = download.patience ?? usualPatience;
  const transfer: Transfer = { taken: 0, hash: createHash("sha256"), validator: undefined };
  const restart = async () => {
    if (transfer.taken > 0) await empty();
    Object.assign(transfer, { taken: 0, hash: createHash("sha256") });
  };
  let wrong = 0;
  for (let tries = 0; ; tries++) {
    try {
      await attempt(download, transfer, sink, restart);
      check(download, transfer);
      return;
    } catch (error) {
      if (download.signal?.aborted) throw interrupted(download);
      if (!(error instanceof Retriable)) throw error;
      if (error.failure.code === "checksum-mismatch") {
        // Once more from the start: a proxy may have broken it. A mirror that is wrong stays wrong.
        if (++wrong > 1) throw error.failure;
        transfer.validator = undefined;
        await restart();
      }
      if (tries >= retries) throw error.failure;
      await delay(backoffMs * 2 ** tries, undefined, { signal: download.signal }).catch(() => {
        throw interrupted(download);
      });
    }
  }
}

async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await handle.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
  }
}

/** Fetches into memory. Throws ImageError. */
export async function fetchBytes(download: Download): Promise<Uint8Array<ArrayBuffer>> {
  let parts: Uint8Array[] = [];
  const sink = async (chunk: Uint8Array) => void parts.push(chunk);
  await transferAll(download, sink, async () => {
    parts = [];
  });
  return Buffer.concat(parts) as Uint8Array as Uint8Array<ArrayBuffer>;
}

/** Fetches to `path`, which appears only when the content is whole and right. Throws ImageError. */
export async function fetchFile(download: Download, path: string): Promise<void> {
  await replaceFile(path, `fetch ${download.url}`, async (handle) => {
    let at = 0;
    const sink = async (chunk: Uint8Array) => {
      await writeAt(handle, chunk, at);
      at += chunk.length;
    };
    await transferAll(download, sink, async () => {
      at = 0;
      await handle.truncate(0);
    });
  });
}
