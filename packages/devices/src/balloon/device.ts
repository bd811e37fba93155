/**
 * Memory balloon: the driver gives up pages until `target` of them are in the balloon, and reports pages that it has no use
 * for at the moment. Both are discarded: the host gets their memory back. @spec virtio "Traditional Memory Balloon Device"
 */
import { type GuestMemory, RAM_BASE } from "@bulkhead/machine";
import type { Chain } from "../chain.ts";
import { DeviceId } from "../virtio.ts";
import type { DeviceTransport, VirtioDevice } from "../virtio-device.ts";
import { BALLOON_PAGE, BalloonFeature, BalloonField, balloonConfig } from "./config.ts";
import { BALLOON_STATE_VERSION, type BalloonState, checkBalloonState } from "./state.ts";
import { type MemoryStatistics, MOST_STATISTICS_BYTES, parseStatistics } from "./statistics.ts";

const INFLATE = 0;
const DEFLATE = 1;
const STATISTICS = 2;
/**
 * Without free page hints a driver has its reporting queue at 3 or at 4: the specification numbers queues as if
 * all were there, Linux counts those that are. Either is a reporting queue here.
 */
const QUEUES = 5;
/** Page numbers in a chain; Linux sends 256. */
const MOST_PAGES = 4096;
/** A report lends up to 32 pieces of free memory, of any size. */
const MOST_REPORT_BYTES = 2 ** 40;

export interface BalloonOptions {
  /**
   * Gives the host the memory behind these bytes of the guest's RAM, which read as zeros afterwards. Without it
   * ballooned memory stays with the process, and reporting is not offered.
   */
  readonly discard?: (bytes: Uint8Array) => void;
  /** The balloon has another size, in bytes. */
  readonly onActual?: (bytes: number) => void;
  /** What the guest says about its memory, each time that it was asked. */
  readonly onStatistics?: (statistics: MemoryStatistics) => void;
}

export class Balloon implements VirtioDevice {
  readonly id = DeviceId.balloon;
  readonly queues = Array.from({ length: QUEUES }, (_, index) => ({
    size: 128,
    maxChainBytes: index < STATISTICS ? MOST_PAGES * 4 : MOST_REPORT_BYTES,
  }));
  readonly features: bigint;
  readonly #memory: GuestMemory;
  readonly #options: BalloonOptions;
  #target = 0;
  #actual = 0;
  #poison = 0;
  /** The driver's buffer for statistics: to give it back is to ask for new ones. */
  #held: Chain | undefined;
  #asked = false;
  #transport!: DeviceTransport;

  constructor(memory: GuestMemory, options: BalloonOptions = {}) {
    this.#memory = memory;
    this.#options = options;
    const usual = BalloonFeature.statistics | BalloonFeature.deflateOnOom | BalloonFeature.pagePoison;
    this.features = options.discard === undefined ? usual : usual | BalloonFeature.reporting;
  }

  get config(): Uint8Array<ArrayBuffer> {
    return balloonConfig(this.#target, this.#actual, this.#poison);
  }

  /** Bytes in the balloon, as the driver says. */
  get actualBytes(): number {
    return this.#actual * BALLOON_PAGE;
  }

  attach(transport: DeviceTransport): void {
    this.#transport = transport;
  }

  /** Asks the driver to give up so many bytes, rounded down to pages; it comes as close as it can. */
  setTarget(bytes: number): void {
    const pages = Math.floor(Math.min(Math.max(bytes, 0), this.#memory.ramSize) / BALLOON_PAGE);
    if (pages === this.#target) return;
    this.#target = pages;
    this.#transport.configChanged();
  }

  /** Asks the driver for statistics; `onStatistics` has them later, if it gives any. */
  askStatistics(): void {
    this.#asked = true;
    this.#returnHeld();
    this.#transport.signal();
  }

  configure(offset: number, value: number): void {
    if (offset === BalloonField.poison) this.#poison = value;
    if (offset !== BalloonField.actual) return;
    this.#actual = Math.min(value, this.#memory.ramSize / BALLOON_PAGE);
    this.#options.onActual?.(this.actualBytes);
  }

  notify(index: number): void {
    const queue = this.#transport.queue(index);
    for (let chain = queue.next(); chain !== undefined; chain = queue.next()) {
      if (index === STATISTICS && this.#has(BalloonFeature.statistics)) {
        this.#takeStatistics(chain);
        continue;
      }
      if (index === INFLATE) this.#inflate(chain);
      else if (index !== DEFLATE) this.#report(chain);
      chain.complete();
    }
  }

  reset(): void {
    this.#held = undefined;
    this.#actual = 0;
    this.#poison = 0;
    this.#options.onActual?.(0);
  }

  save(): BalloonState {
    return {
      version: BALLOON_STATE_VERSION,
      target: this.#target,
      actual: this.#actual,
      poison: this.#poison,
      holdsStatistics: this.#held !== undefined,
    };
  }

  /** Behind the transport's own. Errors: `StateError`. */
  restore(saved: unknown): void {
    const state = checkBalloonState(saved);
    this.#target = state.target;
    this.#actual = state.actual;
    this.#poison = state.poison;
    this.#held = undefined;
    if (state.holdsStatistics && this.#transport.running) {
      this.#transport.queue(STATISTICS).rewind(1);
      this.#held = this.#transport.queue(STATISTICS).next();
    }
  }

  #has(feature: bigint): boolean {
    return (this.#transport.features & feature) !== 0n;
  }

  /** Pages of the balloon are the host's until the driver takes them back; it does so without being told. */
  #inflate(chain: Chain): void {
    const pages = new Uint32Array(Math.min(chain.readable, MOST_PAGES * 4) >>> 2);
    chain.readInto(new Uint8Array(pages.buffer));
    pages.sort();
    for (let first = 0, end = 1; first < pages.length; first = end, end++) {
      while (end < pages.length && pages[end] - pages[end - 1] <= 1) end++;
      this.#discardPages(pages[first], pages[end - 1]);
    }
  }

  /** What of a run of pages is RAM; numbers that are no page's are a guest's nonsense. */
  #discardPages(first: number, last: number): void {
    const start = Math.max(first * BALLOON_PAGE, RAM_BASE);
    const end = Math.min((last + 1) * BALLOON_PAGE, RAM_BASE + this.#memory.ramSize);
    if (this.#options.discard === undefined || start >= end) return;
    const bytes = this.#memory.writable(start, end - start);
    if (bytes !== undefined) this.#options.discard(bytes);
  }

  /** Free memory of the guest, which the driver keeps from use until the chain is completed. */
  #report(chain: Chain): void {
    // The driver would find zeros where it expects its pattern.
    if (this.#has(BalloonFeature.pagePoison) && this.#poison !== 0) return;
    if (this.#options.discard === undefined || !this.#has(BalloonFeature.reporting)) return;
    for (const bytes of chain.writeViews(chain.writable)) this.#options.discard(bytes);
  }

  /** The first buffer comes unasked. */
  #takeStatistics(chain: Chain): void {
    const statistics = parseStatistics(chain.read(MOST_STATISTICS_BYTES));
    this.#held?.complete();
    this.#held = chain;
    if (!this.#asked) return;
    if (Object.keys(statistics).length === 0) return;
    this.#asked = false;
    this.#options.onStatistics?.(statistics);
  }

  #returnHeld(): void {
    if (!this.#transport.running) return;
    this.#held?.complete();
    this.#held = undefined;
  }
}
