// Decompression by a file's suffix: xz (WebAssembly), gzip and zstd (Node's own), or none.
// Called for package indexes, the two tars of a .deb, and kernel modules.
import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import xz from "xz-decompress";
import { FormatError } from "./format-error.ts";

export type Compression = "none" | "xz" | "gz" | "zst";

/** The compression a name's suffix stands for. */
export function compressionOf(name: string): Compression {
  const suffix = /\.(xz|gz|zst)$/.exec(name)?.[1];
  return (suffix as Compression | undefined) ?? "none";
}

/** Hands chunks over only when asked. The library reports a missing end when it makes no progress on an empty read. */
function pulled(stream: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const source = stream[Symbol.asyncIterator]();
  return new ReadableStream(
    {
      async pull(controller) {
        let next = await source.next();
        while (!next.done && next.value.length === 0) next = await source.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
      async cancel() {
        await source.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

async function* unxz(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // One decompressor exists at a time (the library's lock): leaving early must cancel it, which `finally` does.
  const reader = new xz.XzReadableStream(pulled(stream)).getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause) => {
        ended = true;
        throw new FormatError("xz data is broken or ends too early", { cause });
      });
      if (done) {
        ended = true;
        return;
      }
      yield value;
    }
  } finally {
    if (!ended) await reader.cancel().catch(() => {});
  }
}

async function* through(stream: AsyncIterable<Uint8Array>, transform: NodeJS.ReadWriteStream, name: string) {
  const source = Readable.from(stream, { objectMode: false });
  source.on("error", (error) => (transform as unknown as { destroy(error: Error): void }).destroy(error));
  try {
    for await (const chunk of source.pipe(transform)) yield chunk as unknown as Uint8Array;
  } catch (cause) {
    if (cause instanceof Error && /^(Z_|ERR_ZSTD|ZSTD_)/.test(String((cause as { code?: string }).code))) {
      throw new FormatError(`${name} data is broken`, { cause });
    }
    throw cause;
  } finally {
    source.destroy();
  }
}

/** The plain bytes of a compressed stream. Throws FormatError where the data is broken or ends too early. */
export function decompress(stream: AsyncIterable<Uint8Array>, compression: Compression): AsyncIterable<Uint8Array> {
  if (compression === "xz") return unxz(stream);
  if (compression === "gz") return through(stream, createGunzip(), "gzip");
  if (compression === "zst") return through(stream, createZstdDecompress(), "zstd");
  return stream;
}
