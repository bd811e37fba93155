/**
 * Lists of directories that a guest has open: taken when it begins to read one, so that offsets stay what they are while
 * others change it. Bounded: the list that was used longest ago goes first, and is taken again when it is read on.
 */
import { Errno, refusal } from "../errno.ts";
import type { Listed } from "../file-system.ts";

/** Most entries that are kept, of all lists together, unless one directory alone has more. */
const MOST_ENTRIES = 1 << 20;
const MOST_HANDLES = 4096;

export class DirectoryHandles {
  /** In the order of their last use. */
  readonly #lists = new Map<number, readonly Listed[] | undefined>();
  #next = 1;
  #entries = 0;

  /** @returns a handle for a directory. */
  open(): number {
    if (this.#lists.size >= MOST_HANDLES) throw refusal(Errno.ENFILE);
    const handle = this.#next++;
    this.#lists.set(handle, undefined);
    return handle;
  }

  /** The list of a handle. @param offset 0 takes it anew, as does any other one where it has gone. */
  list(handle: number, offset: number, take: () => readonly Listed[]): readonly Listed[] {
    if (!this.#lists.has(handle)) throw refusal(Errno.EBADF);
    const known = this.#lists.get(handle);
    this.#drop(handle);
    const list = offset === 0 || known === undefined ? take() : known;
    this.#lists.delete(handle);
    this.#lists.set(handle, list);
    this.#entries += list.length;
    for (const other of this.#lists.keys()) {
      if (this.#entries <= MOST_ENTRIES || other === handle) break;
      this.#drop(other);
    }
    return list;
  }

  close(handle: number): void {
    this.#drop(handle);
    this.#lists.delete(handle);
  }

  clear(): void {
    this.#lists.clear();
    this.#entries = 0;
  }

  #drop(handle: number): void {
    this.#entries -= this.#lists.get(handle)?.length ?? 0;
    if (this.#lists.has(handle)) this.#lists.set(handle, undefined);
  }
}
