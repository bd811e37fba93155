/**
 * Saves a machine that is or was held, as a snapshot: pages of RAM that were written, disk layers, state. What was not written
 * is taken from the snapshot before, by reference. Who calls it: the saver's thread.
 */
import { readSync } from "node:fs";
import { basename, dirname, relative } from "node:path";
import { PAGE_MAP, PageMap } from "@bulkhead/machine";
import type { SnapshotBase } from "./base.ts";
import { inherited, MOST_LAYERS, NOWHERE, PAGE_BYTES, type SnapshotMeta, ZEROS } from "./format.ts";
import { closeSnapshot, openSnapshot, PageReader } from "./reader-node.ts";
import { diskSpace, type FrozenLayer, type HeldMachine, type HeldMemory, RAM_SPACE } from "./saved-machine.ts";
import type { Snapshot } from "./snapshot.ts";
import { SnapshotWriter } from "./writer-node.ts";

export interface SaveOrder {
  readonly path: string;
  readonly program: string;
  readonly configuration: SnapshotMeta["configuration"];
  readonly base: SnapshotBase | undefined;
}

export interface Saved {
  readonly base: SnapshotBase;
  /** Pages of RAM and blocks of disks that were looked at, and bytes of the file. */
  readonly pages: number;
  readonly bytes: number;
}

/** Pages between two looks at what else there is to do. */
const BATCH = 64;
const zeroPage = new Uint8Array(PAGE_BYTES);
const isZero = (page: Uint8Array): boolean => Buffer.compare(page, zeroPage) === 0;

/** Errors: those of the file system; then the snapshot before is as it was, and the next one saves what this one would have. */
export async function save(order: SaveOrder, held: HeldMachine): Promise<Saved> {
  const { path } = order;
  const saver = new Saver(order, held.memory);
  try {
    const ram = await saver.ram();
    const disks = await saver.disks(held);
    const spaces = [{ name: RAM_SPACE, index: ram }, ...disks];
    const { id, ancestors } = saver.descent();
    const meta: SnapshotMeta = {
      id,
      program: order.program,
      ancestors: ancestors.map((each) => ({ id: each.id, file: relative(dirname(path), each.path) || basename(path) })),
      spaces: spaces.map(({ name, index }) => ({ name, pages: index.length })),
      configuration: order.configuration,
      state: held.state,
    };
    await saver.writer.commit(
      meta,
      spaces.map(({ index }) => index),
    );
    const indices = Object.fromEntries(spaces.map(({ name, index }) => [name, index]));
    return { base: { id, path, ancestors, indices }, pages: saver.looked, bytes: saver.writer.bytes };
  } catch (error) {
    saver.giveUp();
    await saver.writer.abort();
    throw error;
  } finally {
    saver.close();
  }
}

class Saver {
  readonly writer: SnapshotWriter;
  looked = 0;
  readonly #order: SaveOrder;
  readonly #pages: PageMap;
  readonly #pageCount: number;
  readonly #taken: Uint8Array;
  /** Loads pages of the snapshot before, when it has so many ancestors that this one is to have none. */
  readonly #flattened: Snapshot | undefined;
  readonly #reader: PageReader | undefined;

  constructor(order: SaveOrder, { buffer, ramOffset, ramSize, copies }: HeldMemory) {
    this.#order = order;
    this.#pageCount = ramSize / PAGE_BYTES;
    const states = new Uint8Array(buffer, PAGE_MAP, this.#pageCount);
    this.#pages = new PageMap(states, new Uint8Array(buffer, ramOffset, ramSize), copies);
    this.#taken = new Uint8Array(this.#pageCount);
    const { base } = order;
    const deep = base !== undefined && base.ancestors.length + 2 > MOST_LAYERS;
    // The file may be the one that is replaced, and then nothing can build on it.
    const replaces = base !== undefined && [base, ...base.ancestors].some(({ path }) => path === order.path);
    if (base !== undefined && (deep || replaces)) this.#flattened = openSnapshot(base.path, base.id);
    this.#reader = this.#flattened && new PageReader(this.#flattened.layers);
    this.writer = new SnapshotWriter(order.path);
  }

  /** Who the snapshot is and what it builds on. */
  descent(): Pick<SnapshotBase, "id" | "ancestors"> {
    const { base } = this.#order;
    const alone = base === undefined || this.#reader !== undefined;
    const ancestors = alone ? [] : [{ id: base.id, path: base.path }, ...base.ancestors];
    return { id: crypto.randomUUID(), ancestors };
  }

  async ram(): Promise<Uint32Array> {
    const before = this.#order.base?.indices[RAM_SPACE];
    const index = sharedIndex(this.#pageCount);
    const content = new Uint8Array(PAGE_BYTES);
    for (let page = 0; page < index.length; page++) {
      if (page % BATCH === 0) await this.writer.settle();
      if (this.#pages.take(page, content)) {
        this.#taken[page] = 1;
        index[page] = this.#add(content, NOWHERE);
      } else index[page] = this.#inherit(before?.[page] ?? NOWHERE);
    }
    return index;
  }

  async disks({ layers, diskBytes }: HeldMachine): Promise<{ name: string; index: Uint32Array }[]> {
    const spaces: { name: string; index: Uint32Array }[] = [];
    for (const [disk, bytes] of diskBytes.entries()) {
      if (bytes === undefined) continue;
      const name = diskSpace(disk);
      const before = this.#order.base?.indices[name];
      const index = sharedIndex(Math.ceil(bytes / PAGE_BYTES));
      if (before !== undefined) for (const [block, ref] of before.entries()) index[block] = this.#inherit(ref);
      for (const layer of layers) if (layer.disk === disk) await this.#layer(layer, index);
      spaces.push({ name, index });
    }
    return spaces;
  }

  giveUp(): void {
    const pages = this.#pages;
    const count = this.#pageCount;
    const taken = this.#taken;
    pages.giveUp(
      (function* () {
        for (let page = 0; page < count; page++) if (taken[page] === 1 || pages.isHeld(page)) yield page;
      })(),
    );
  }

  close(): void {
    if (this.#flattened !== undefined) closeSnapshot(this.#flattened);
  }

  async #layer({ descriptor, written, zero }: FrozenLayer, index: Uint32Array): Promise<void> {
    const content = new Uint8Array(PAGE_BYTES);
    for (const [n, block] of written.entries()) {
      if (n % BATCH === 0) await this.writer.settle();
      content.fill(0);
      readSync(descriptor, content, 0, PAGE_BYTES, block * PAGE_BYTES);
      index[block] = this.#add(content, ZEROS);
    }
    for (const block of zero) index[block] = ZEROS;
  }

  #add(content: Uint8Array, zeros: number): number {
    this.looked++;
    return isZero(content) ? zeros : this.writer.add(content);
  }

  #inherit(ref: number): number {
    if (this.#reader === undefined || ref === NOWHERE || ref === ZEROS) return inherited(ref);
    const content = new Uint8Array(PAGE_BYTES);
    this.#reader.load(ref, content);
    return this.writer.add(content);
  }
}

const sharedIndex = (pages: number): Uint32Array => new Uint32Array(new SharedArrayBuffer(pages * 4));
