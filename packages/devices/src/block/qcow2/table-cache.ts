/**
 * Tables of an image that are in memory: level 2 tables or refcount blocks. They are written back together, when their
 * owner says so, since which comes before which decides whether a crash does harm. Who calls it: `ClusterMap`, `Refcounts`.
 */
import { type ImageFile, readWhole } from "../image-file.ts";

/** A table of one cluster. */
export interface Table {
  /** Byte offset in the file. */
  readonly offset: number;
  readonly view: DataView<ArrayBuffer>;
  /** The bytes that differ from the file's; none if `dirtyEnd` is 0. */
  dirtyStart: number;
  dirtyEnd: number;
  used: number;
}

/** Changes are written in whole units of this, so that what a file system writes at a time is not torn. */
const WRITE_BYTES = 4096;

export class TableCache {
  readonly #file: ImageFile;
  readonly #tableBytes: number;
  readonly #most: number;
  readonly #clean: () => void;
  readonly #tables = new Map<number, Table>();
  #clock = 0;

  /** @param most tables to keep. @param clean makes every table clean, in the right order; room is made by it. */
  constructor(file: ImageFile, tableBytes: number, most: number, clean: () => void) {
    this.#file = file;
    this.#tableBytes = tableBytes;
    this.#most = most;
    this.#clean = clean;
  }

  /** Some table has changes that are not in the file. */
  get dirty(): boolean {
    for (const { dirtyEnd } of this.#tables.values()) if (dirtyEnd > 0) return true;
    return false;
  }

  /** The table at an offset. What is got is to be changed at once: the next `get` may drop it. */
  get(offset: number): Table {
    const found = this.#tables.get(offset);
    if (found !== undefined) {
      found.used = ++this.#clock;
      return found;
    }
    this.#makeRoom();
    return this.#keep(offset, readWhole(this.#file, offset, this.#tableBytes));
  }

  /** A table where there was none. @param content a copy is taken; zeros when left out. */
  create(offset: number, content?: Uint8Array): Table {
    this.#makeRoom();
    const bytes = new Uint8Array(this.#tableBytes);
    if (content !== undefined) bytes.set(content);
    const table = this.#keep(offset, bytes);
    table.dirtyEnd = this.#tableBytes;
    return table;
  }

  /** Says which bytes of a table were changed. */
  touch(table: Table, at: number, length: number): void {
    table.dirtyStart = table.dirtyEnd === 0 ? at : Math.min(table.dirtyStart, at);
    table.dirtyEnd = Math.max(table.dirtyEnd, at + length);
  }

  /** Writes all changes; stable they are after the file's next flush. */
  writeBack(): void {
    for (const table of this.#tables.values()) if (table.dirtyEnd > 0) this.#write(table);
  }

  /** The cluster is no table any more. */
  drop(offset: number): void {
    this.#tables.delete(offset);
  }

  #write(table: Table): void {
    const unit = Math.min(WRITE_BYTES, this.#tableBytes);
    const start = Math.floor(table.dirtyStart / unit) * unit;
    const end = Math.ceil(table.dirtyEnd / unit) * unit;
    this.#file.write(table.offset + start, new Uint8Array(table.view.buffer, start, end - start));
    table.dirtyStart = 0;
    table.dirtyEnd = 0;
  }

  #keep(offset: number, bytes: Uint8Array<ArrayBuffer>): Table {
    const view = new DataView(bytes.buffer);
    const table = { offset, view, dirtyStart: 0, dirtyEnd: 0, used: ++this.#clock };
    this.#tables.set(offset, table);
    return table;
  }

  /** Drops the table that was not used for the longest time. */
  #makeRoom(): void {
    if (this.#tables.size < this.#most) return;
    let oldest: Table | undefined;
    for (const table of this.#tables.values()) if (oldest === undefined || table.used < oldest.used) oldest = table;
    if (oldest === undefined) return;
    if (oldest.dirtyEnd > 0) this.#clean();
    this.#tables.delete(oldest.offset);
  }
}
