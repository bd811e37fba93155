/** Writes all frames of a guest's cables into a file. A disk that is too slow loses frames instead of holding the guest. */
import { createWriteStream, type WriteStream } from "node:fs";
import { allAbilities, type Frame, Segmentation } from "../frame.ts";
import { NetworkError } from "../network-error.ts";
import { prepare } from "../segmentation.ts";
import { pcapHeader, pcapRecord } from "./pcap.ts";

const MOST_WAITING_BYTES = 16 * 1024 * 1024;
/** Checksums are filled in, so that nobody takes what was left undone for an error; large segments stay whole. */
const readable = { ...allAbilities, checksum: false };

export class Capture {
  readonly #stream: WriteStream;
  #lost = 0;
  #failed = false;

  private constructor(stream: WriteStream, onWarning: (text: string) => void) {
    this.#stream = stream;
    stream.on("error", (error) => {
      this.#failed = true;
      onWarning(`capture ${String(stream.path)}: ${error.message}; nothing more is captured`);
    });
    stream.write(pcapHeader());
  }

  /** Errors: `capture-failed`. */
  static open(path: string, onWarning: (text: string) => void): Promise<Capture> {
    return new Promise((resolve, reject) => {
      const stream = createWriteStream(path);
      const refused = (cause: NodeJS.ErrnoException): void =>
        reject(new NetworkError("capture-failed", `capture ${path}: cannot be written (${cause.code})`, { cause }));
      stream.once("error", refused);
      stream.once("open", () => {
        stream.off("error", refused);
        resolve(new Capture(stream, onWarning));
      });
    });
  }

  /** Frames that the disk was too slow for. */
  get lost(): number {
    return this.#lost;
  }

  take(frame: Frame): void {
    if (this.#failed) return;
    if (this.#stream.writableLength > MOST_WAITING_BYTES) {
      this.#lost++;
      return;
    }
    const now = performance.timeOrigin + performance.now();
    const offload = { ...frame.offload, segmentation: Segmentation.none };
    for (const each of prepare({ ...frame, offload }, readable)) this.#stream.write(pcapRecord(each, now));
  }

  /** Resolves when everything is in the file. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#failed) resolve();
      else this.#stream.end(() => resolve());
    });
  }
}
