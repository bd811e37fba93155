/**
 * All nodes that a guest holds references to, by number, by object and by name. Numbers are never used again. Bounded: a
 * guest that forgets nothing cannot have more than its own memory could hold.
 */
import { Errno, refusal } from "../errno.ts";
import type { SavedNode } from "../file-system.ts";
import { ROOT_NODE } from "../fuse/protocol.ts";
import { FolderNode, type Identity, isSame, type Place } from "./node.ts";

/** Most names that are remembered of one file. */
const MOST_PLACES = 32;

export class NodeTable {
  readonly root: FolderNode;
  readonly #most: number;
  readonly #byId = new Map<number, FolderNode>();
  readonly #byObject = new Map<string, FolderNode>();
  readonly #onDrop: (node: FolderNode) => void;
  #next = ROOT_NODE + 1;

  /** @param onDrop is told of each node that nobody needs any more. */
  constructor(root: Identity, format: number, most: number, onDrop: (node: FolderNode) => void) {
    this.root = new FolderNode(ROOT_NODE, root, format);
    this.#most = most;
    this.#onDrop = onDrop;
    this.#add(this.root);
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: number): FolderNode {
    const node = this.#byId.get(id);
    if (node === undefined) throw refusal(Errno.ESTALE);
    return node;
  }

  /** The node of an inode, though it may be used for something else by now. */
  find(identity: Identity): FolderNode | undefined {
    return this.#byObject.get(keyOf(identity));
  }

  /** A node's object has become another one of the host's. */
  renew(node: FolderNode, identity: Identity): void {
    const key = keyOf(node.identity);
    if (this.#byObject.get(key) === node) this.#byObject.delete(key);
    node.identity = identity;
    this.#byObject.set(keyOf(identity), node);
  }

  child(parent: FolderNode, name: string): FolderNode | undefined {
    return parent.children?.get(name);
  }

  /** The node for an object that a name was seen to lead to, with one more reference. */
  refer(identity: Identity, format: number, parent: FolderNode, name: string): FolderNode {
    const key = keyOf(identity);
    let node = this.#byObject.get(key);
    // The same inode, used again for something else.
    if (node !== undefined && !(isSame(node.identity, identity) && node.format === format)) node = undefined;
    if (node === undefined) {
      if (this.#byId.size >= this.#most) throw refusal(Errno.ENFILE);
      node = new FolderNode(this.#next++, identity, format);
      this.#add(node);
    }
    this.place(node, parent, name);
    node.references++;
    return node;
  }

  /** Puts nodes back as they were saved, beside the root. Those that no longer fit together are left out. */
  restore(saved: readonly SavedNode[]): void {
    this.clear();
    for (const { id, dev, ino, birthtimeNs, format, references } of saved) {
      this.#next = Math.max(this.#next, id + 1);
      if (id === this.root.id || this.#byId.size >= this.#most) continue;
      const node = new FolderNode(id, { dev, ino, birthtimeNs }, format);
      node.references = references;
      this.#add(node);
    }
    for (const { id, places } of saved) {
      const node = this.#byId.get(id);
      for (const { parent, name } of places.toReversed()) {
        const directory = this.#byId.get(parent);
        if (node !== undefined && directory?.isDirectory) this.place(node, directory, name);
      }
    }
  }

  /** A name leads to a node, and to no other. */
  place(node: FolderNode, parent: FolderNode, name: string): void {
    const before = parent.children?.get(name);
    if (before === node || node === this.root) return;
    if (before !== undefined) this.unplace(before, parent, name);
    parent.children ??= new Map();
    parent.children.set(name, node);
    if (node.isDirectory) this.#leaveOldPlace(node, parent);
    node.places.unshift({ parent, name });
    const extra = node.places.length > MOST_PLACES ? node.places.at(-1) : undefined;
    if (extra !== undefined) this.unplace(node, extra.parent, extra.name);
  }

  /** A name leads to a node no more. */
  unplace(node: FolderNode, parent: FolderNode, name: string): void {
    node.places = node.places.filter((place) => place.parent !== parent || place.name !== name);
    if (parent.children?.get(name) === node) parent.children.delete(name);
    this.#dropUnneeded(node);
    this.#dropUnneeded(parent);
  }

  forget(id: number, references: number): void {
    const node = this.#byId.get(id);
    if (node === undefined) return;
    node.references = Math.max(0, node.references - references);
    this.#dropUnneeded(node);
  }

  /** Drops all nodes but the root. */
  clear(): void {
    for (const node of this.#byId.values()) {
      node.children = undefined;
      node.places = [];
      node.references = 0;
      if (node !== this.root) this.#onDrop(node);
    }
    this.#byId.clear();
    this.#byObject.clear();
    this.#add(this.root);
  }

  [Symbol.iterator](): Iterator<FolderNode> {
    return this.#byId.values();
  }

  /** A directory has one name only, and is not below itself: what says otherwise was changed on the host meanwhile. */
  #leaveOldPlace(node: FolderNode, parent: FolderNode): void {
    for (const old of [...node.places]) this.unplace(node, old.parent, old.name);
    for (let at = parent; at.places.length > 0; ) {
      const [above] = at.places;
      if (above.parent === node) {
        this.unplace(at, node, above.name);
        return;
      }
      at = above.parent;
    }
  }

  #add(node: FolderNode): void {
    this.#byId.set(node.id, node);
    this.#byObject.set(keyOf(node.identity), node);
  }

  /** A node goes with its last reference, and so do directories that were kept only as the way to it. */
  #dropUnneeded(start: FolderNode): void {
    let node: FolderNode | undefined = start;
    while (node !== undefined && this.#isUnneeded(node)) {
      this.#byId.delete(node.id);
      const key = keyOf(node.identity);
      if (this.#byObject.get(key) === node) this.#byObject.delete(key);
      const places: readonly Place[] = node.places;
      node.places = [];
      for (const { parent, name } of places) if (parent.children?.get(name) === node) parent.children.delete(name);
      this.#onDrop(node);
      for (const { parent } of places.slice(1)) this.#dropUnneeded(parent);
      node = places[0]?.parent;
    }
  }

  #isUnneeded(node: FolderNode): boolean {
    return (
      node !== this.root &&
      node.references === 0 &&
      (node.children === undefined || node.children.size === 0) &&
      this.#byId.get(node.id) === node
    );
  }
}

const keyOf = ({ dev, ino }: Identity): string => `${dev}:${ino}`;
