/**
 * The seam between a network device and what it is plugged into. It is synchronous: what is behind it moves frames
 * through rings or hands them over at once. Neither side ever holds a frame for the other.
 */
import type { Abilities, Frame, Offload } from "@bulkhead/network";

export interface NetBackend {
  /** There is room for one more frame of the largest size. While there is none, frames stay with the driver. */
  readonly room: boolean;
  /** Takes a frame from the guest; copies what it keeps. */
  send(parts: readonly Uint8Array[], length: number, offload: Offload): void;
  /** The next frame for the guest, the same one until `drop`. */
  next(): Frame | undefined;
  /** Done with the next frame. */
  drop(): void;
  /** Makes known what was sent and dropped since the last call, soon. */
  flush(): void;
  /** The guest's turn has ended: makes it known now. */
  settle(): void;
  /** What frames for the guest may leave undone from now on. */
  accept(abilities: Abilities): void;
}
