/** The snapshot that a machine began with or was last saved as: what the next one builds on. */

export interface SnapshotBase {
  readonly id: string;
  readonly path: string;
  /** Nearest first. */
  readonly ancestors: readonly { readonly id: string; readonly path: string }[];
  /** By the name of the space. */
  readonly indices: Readonly<Record<string, Uint32Array>>;
}
