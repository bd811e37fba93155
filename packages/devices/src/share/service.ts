/**
 * What serves a share's requests: on the device's own thread, or on another one. Who calls it: `Share`. A request that
 * cannot even be answered is the guest's fault; a sentence says why.
 */
import type { Exchange } from "./exchange.ts";
import type { FileSystem, SavedNode } from "./file-system.ts";
import { type CachePolicy, FuseSession } from "./fuse/session.ts";

/** What a guest has of a share, as it is saved. */
export interface ServiceState {
  /** The driver has said INIT. */
  readonly ready: boolean;
  readonly nodes: readonly SavedNode[];
}

export interface ShareService {
  readonly readOnly: boolean;
  /** Serves a request now or later, in order. */
  serve(exchange: Exchange, done: (wrong: string | undefined) => void): void;
  /** Calls `done` for requests that have been served meanwhile. */
  poll?(): void;
  /** The guest was reset: what is under way is not answered any more. */
  reset(): void;
  /** Only of what is served at once. */
  save?(): ServiceState;
  restore?(state: ServiceState): void;
  close(): void;
}

/** Serves each request at once. */
export class LocalService implements ShareService {
  readonly #files: FileSystem;
  readonly #session: FuseSession;

  constructor(files: FileSystem, cache?: CachePolicy) {
    this.#files = files;
    this.#session = new FuseSession(files, cache);
  }

  get readOnly(): boolean {
    return this.#files.readOnly;
  }

  serve(exchange: Exchange, done: (wrong: string | undefined) => void): void {
    done(this.#session.serve(exchange));
  }

  reset(): void {
    this.#session.reset();
  }

  save(): ServiceState {
    return { ready: this.#session.ready, nodes: this.#files.save() };
  }

  restore({ ready, nodes }: ServiceState): void {
    this.#session.reset();
    this.#files.restore(nodes);
    if (ready) this.#session.resume();
  }

  close(): void {
    this.#files.close();
  }
}
