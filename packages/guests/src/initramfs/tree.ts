// Collects the nodes of an initramfs, making parents as needed; the result is a cpio archive.
// Used by busybox/ and debian/ alike.
import { type CpioEntry, nodeType, writeCpio } from "../formats/cpio.ts";

const encoder = new TextEncoder();

/** Paths are relative to the root, without a leading slash. Adding a path again replaces the node. */
export class InitramfsTree {
  readonly #nodes = new Map<string, CpioEntry>();

  directory(path: string, permissions = 0o755): this {
    this.#parents(path);
    this.#nodes.set(path, { name: path, mode: nodeType.directory | permissions });
    return this;
  }

  file(path: string, content: Uint8Array | string, permissions = 0o644): this {
    this.#parents(path);
    const bytes = typeof content === "string" ? encoder.encode(content) : content;
    this.#nodes.set(path, { name: path, mode: nodeType.file | permissions, content: bytes });
    return this;
  }

  link(path: string, target: string): this {
    this.#parents(path);
    this.#nodes.set(path, { name: path, mode: nodeType.link | 0o777, content: encoder.encode(target) });
    return this;
  }

  character(path: string, permissions: number, major: number, minor: number): this {
    this.#parents(path);
    this.#nodes.set(path, { name: path, mode: nodeType.character | permissions, device: { major, minor } });
    return this;
  }

  has(path: string): boolean {
    return this.#nodes.has(path);
  }

  /** The nodes, each after its parent. */
  entries(): CpioEntry[] {
    return [...this.#nodes.values()];
  }

  /** The archive the kernel unpacks. */
  toCpio(): Uint8Array<ArrayBuffer> {
    return writeCpio(this.entries());
  }

  #parents(path: string): void {
    const slash = path.lastIndexOf("/");
    if (slash < 0) return;
    const parent = path.slice(0, slash);
    if (!this.#nodes.has(parent)) this.directory(parent);
  }
}
