// A Debian package file: an ar archive of `debian-binary`, a control tar and a data tar.
// Format: deb(5). Opened by kernel/, busybox/ and debian/ after its checksum was verified.
import { open } from "node:fs/promises";
import { type ArMember, type RandomAccess, readAr } from "./ar.ts";
import { compressionOf, decompress } from "./decompress.ts";
import { FormatError } from "./format-error.ts";
import { readTar, type TarEntry } from "./tar.ts";

const CHUNK_BYTES = 256 * 1024;

/** An open package. Both tars may be read any number of times, one after the other. */
export interface Deb {
  control(): AsyncGenerator<TarEntry>;
  data(): AsyncGenerator<TarEntry>;
  /** The two tars as plain bytes, not taken apart. */
  controlTar(): AsyncIterable<Uint8Array>;
  dataTar(): AsyncIterable<Uint8Array>;
}

async function* slice(file: RandomAccess, member: ArMember): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < member.size; at += CHUNK_BYTES) {
    yield await file.read(member.offset + at, Math.min(CHUNK_BYTES, member.size - at));
  }
}

/** A package over any random access. Throws FormatError where it is none. */
export async function readDeb(file: RandomAccess): Promise<Deb> {
  const members = await readAr(file);
  if (members[0]?.name !== "debian-binary") throw new FormatError("expected debian-binary as a package's first member");
  const find = (prefix: string) => {
    const member = members.find(({ name }) => name.startsWith(prefix));
    if (member === undefined) throw new FormatError(`a package without ${prefix}`);
    return () => decompress(slice(file, member), compressionOf(member.name));
  };
  const [controlTar, dataTar] = [find("control.tar"), find("data.tar")];
  return { controlTar, dataTar, control: () => readTar(controlTar()), data: () => readTar(dataTar()) };
}

/** Opens a package file, hands it to `use` and closes it. */
export async function withDeb<T>(path: string, use: (deb: Deb) => Promise<T>): Promise<T> {
  const handle = await open(path);
  try {
    const read = async (offset: number, length: number) => {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    };
    return await use(await readDeb({ size: (await handle.stat()).size, read }));
  } finally {
    await handle.close();
  }
}
