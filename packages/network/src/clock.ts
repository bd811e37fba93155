/** Time as the network sees it; tests have one of their own. */
export interface Clock {
  /** Milliseconds from some start on; never goes back. */
  readonly nowMs: number;
  /** Calls `work` again and again; must not keep a process alive. @returns what stops it. */
  every(ms: number, work: () => void): () => void;
}
