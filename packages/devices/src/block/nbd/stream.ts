/** A connection as NBD uses it. Who implements it: `connect-node.ts`, and tests. */

export interface ByteStream {
  /** The next bytes, exactly so many. One reader at a time. Errors: the connection has ended. */
  read(length: number): Promise<Uint8Array>;
  /** Sends bytes, which must not change until they are sent. What cannot be sent is noticed by reading. */
  write(bytes: Uint8Array): void;
  /** Ends the connection; reading fails with the reason. */
  close(reason: Error): void;
}
