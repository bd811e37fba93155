/**
 * The seam between a socket device and the host's end of its connections. It is synchronous, like that of a network
 * device; neither side ever holds a packet for the other.
 */
export interface VsockBackend {
  /** There is room for one more packet of the largest size. While there is none, packets stay with the driver. */
  readonly room: boolean;
  /** Takes a packet from the guest, header first; copies what it keeps. */
  send(parts: readonly Uint8Array[], length: number): void;
  /** The next packet for the guest in one piece, the same one until `drop`. */
  next(): Uint8Array | undefined;
  /** Done with the next packet. */
  drop(): void;
  /** Makes known what was sent and dropped since the last call. */
  flush(): void;
}
