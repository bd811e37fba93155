/**
 * Opens a disk image of this host with everything that is behind it. A format that is not given is guessed once, from the
 * first bytes; see `RawImage` for what that forbids a guest. Who calls it: whoever attaches disks to a machine.
 */
import { realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DiskError } from "./disk-error.ts";
import { type HostFile, openHostFile } from "./host-file-node.ts";
import { formatOf } from "./probe.ts";
import { checkQcow2 } from "./qcow2/check.ts";
import { decompress } from "./qcow2/decompress-node.ts";
import { type Qcow2Header, readHeader } from "./qcow2/header.ts";
import { Qcow2Image } from "./qcow2/image.ts";
import { RawImage } from "./raw.ts";

export type DiskFormat = "raw" | "qcow2";

export interface OpenOptions {
  readonly readOnly?: boolean;
  /** Default: what the image's first bytes say. */
  readonly format?: DiskFormat;
  /** Told about something the user should know, in a sentence. */
  readonly onWarning?: (sentence: string) => void;
}

/** A file of a chain of images. */
export interface ImageLink {
  readonly path: string;
  readonly format: DiskFormat;
}

/** Most images behind each other. */
const MOST_LINKS = 64;
/** What `formatOf` wants to see. */
const HEAD_BYTES = 512;

/** Errors: `DiskError` with the code for what is wrong; then nothing stays open. */
export function openDisk(path: string, options: OpenOptions = {}): RawImage | Qcow2Image {
  const { readOnly = false, format, onWarning = () => {} } = options;
  return openLink(path, readOnly, format, [], onWarning);
}

/**
 * The files that an image is made of, itself first, without opening them for use. Errors: as of `openDisk`.
 */
export function imageChain(path: string, format?: DiskFormat): ImageLink[] {
  const links: ImageLink[] = [];
  for (let next: { path: string; format?: DiskFormat } | undefined = { path, format }; next !== undefined; ) {
    checkLoop(
      next.path,
      links.map((link) => link.path),
    );
    const file = openHostFile(next.path, true);
    try {
      const found: DiskFormat = next.format ?? guess(file);
      links.push({ path: next.path, format: found });
      next = found === "raw" ? undefined : backingOf(readHeader(file), next.path);
    } finally {
      file.close();
    }
  }
  return links;
}

function openLink(
  path: string,
  readOnly: boolean,
  given: DiskFormat | undefined,
  above: readonly string[],
  onWarning: (sentence: string) => void,
): RawImage | Qcow2Image {
  checkLoop(path, above);
  const file = openHostFile(path, readOnly);
  try {
    const format = given ?? guess(file);
    if (format === "raw") return new RawImage(file, { guessed: given === undefined });
    return openQcow2(file, path, above, onWarning);
  } catch (error) {
    file.close();
    throw error;
  }
}

function openQcow2(
  file: HostFile,
  path: string,
  above: readonly string[],
  onWarning: (sentence: string) => void,
): Qcow2Image {
  const behind = backingOf(readHeader(file), path);
  const backing =
    behind === undefined ? undefined : openLink(behind.path, true, behind.format, [...above, path], onWarning);
  try {
    const image = new Qcow2Image(file, { backing, decompress });
    if (image.header.dirty && !image.readOnly) repair(image, onWarning);
    return image;
  } catch (error) {
    backing?.close?.();
    throw error;
  }
}

/** Sets right what a crash has left. */
function repair(image: Qcow2Image, onWarning: (sentence: string) => void): void {
  const { leaks, errors } = checkQcow2(image, true);
  image.flush();
  image.markWhole();
  const found = [leaks > 0 ? `${leaks} lost clusters given back` : "", errors > 0 ? `${errors} counts corrected` : ""];
  const what = found.filter((part) => part !== "").join(", ");
  onWarning(`disk ${image.file.name} had not been closed: ${what === "" ? "it is whole" : what}`);
}

function guess(file: HostFile): DiskFormat {
  const head = new Uint8Array(HEAD_BYTES);
  const format = formatOf(head.subarray(0, file.read(0, head)));
  if (format === "raw") return "raw";
  if (format.supported !== undefined) return format.supported;
  const message = `disk ${file.name}: expected a raw or qcow2 image, but it is ${format.name}; convert or unpack it`;
  throw new DiskError("disk-format", message);
}

/** The image behind one. Only files are opened: a name from an image must not make this host call others. */
function backingOf(header: Qcow2Header, path: string): { path: string; format?: DiskFormat } | undefined {
  const { backingFile, backingFormat } = header;
  if (backingFile === undefined) return undefined;
  if (/^[a-z][a-z0-9+.-]*:/i.test(backingFile) && !backingFile.startsWith("file:")) {
    throw new DiskError(
      "disk-format",
      `disk ${path}: its backing file ${backingFile} is not a file, which is not supported`,
    );
  }
  if (backingFormat !== undefined && backingFormat !== "raw" && backingFormat !== "qcow2") {
    throw new DiskError(
      "disk-format",
      `disk ${path}: its backing file is of format ${backingFormat}, which is not supported`,
    );
  }
  const name = backingFile.replace(/^file:/, "");
  return { path: resolve(dirname(path), name), format: backingFormat };
}

function checkLoop(path: string, above: readonly string[]): void {
  if (above.length >= MOST_LINKS) {
    throw new DiskError("disk-format", `disk ${path}: more than ${MOST_LINKS} images stand behind each other`);
  }
  const real = (name: string): string => {
    try {
      return realpathSync(name);
    } catch {
      return resolve(name);
    }
  };
  if (above.some((name) => real(name) === real(path))) {
    throw new DiskError("disk-corrupt", `disk ${path}: it stands behind itself as a backing file`);
  }
}
