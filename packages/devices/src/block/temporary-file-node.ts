/**
 * A sparse file without a name: the upper layer of an overlay. The kernel frees it when it is closed or the process
 * ends, however that happens. Who calls it: runs that must not change a disk image.
 */
import { closeSync, ftruncateSync, openSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HostFile } from "./host-file-node.ts";
import { RawImage } from "./raw.ts";

/**
 * @param size bytes. @param directory where the space comes from; where it is not given or cannot be written, the
 * system's temporary directory, which is memory on some hosts. Errors: those of the file system.
 */
export function openTemporaryDisk(size: number, directory?: string): RawImage {
  const { path, fd } = create(directory);
  try {
    unlinkSync(path);
    ftruncateSync(fd, size);
    return new RawImage(new TemporaryFile(path, fd, false));
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function create(directory: string = tmpdir()): { path: string; fd: number } {
  const path = join(directory, `.bulkhead-overlay-${crypto.randomUUID()}`);
  try {
    return { path, fd: openSync(path, "wx+", 0o600) };
  } catch (error) {
    if (directory === tmpdir()) throw error;
    return create();
  }
}

class TemporaryFile extends HostFile {
  /** It does not outlive the process, so nothing of it has to be stable. */
  override flush(): void {}
}
