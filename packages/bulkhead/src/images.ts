/** What the CLI needs of the image catalogue; `catalogue.ts` joins it to the guests package. */
import type { ReadyImage } from "./launch.ts";
import type { BuildOptions } from "./program.ts";

export interface ListedImage {
  readonly name: string;
  readonly description: string;
  readonly built: boolean;
  /** Built by another version of this program: the next use builds it again. */
  readonly outdated: boolean;
  /** Bytes on the host's disk; 0 where it is not built. */
  readonly bytes: number;
  readonly builtAt?: string;
}

/** What a build is doing, and how long it will still take. */
export interface BuildProgress {
  readonly text: string;
  /** 0 to 1. */
  readonly fraction: number;
  readonly secondsLeft: number;
}

export interface BuildContext {
  readonly signal: AbortSignal;
  onProgress(progress: BuildProgress): void;
}

export interface Images {
  /** The image's files, built first where needed. */
  ready(name: string, context: BuildContext): Promise<ReadyImage>;
  list(): Promise<readonly ListedImage[]>;
  build(name: string, options: BuildOptions, context: BuildContext): Promise<void>;
  remove(name: string): Promise<void>;
}
