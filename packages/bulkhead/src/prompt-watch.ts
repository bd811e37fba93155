/**
 * Tells when a guest's console waits for input: text that is piped in must not come earlier, since boot loaders take it
 * for themselves and drivers throw it away when they start.
 */

import { stripVTControlCharacters } from "node:util";

/** How much of the console's end is looked at: a prompt and what a shell sends to the terminal behind it. */
const TAIL_CHARACTERS = 64;
/** How a console looks that waits: a shell, a boot loader, a login. */
const PROMPT = /[#$%>:] $/;
/** A prompt counts when nothing follows it for so long; without one, silence for so long does. */
const PROMPT_MS = 150;
const SILENCE_MS = 10_000;

export class PromptWatch {
  /** Resolves once, when input is welcome. */
  readonly ready: Promise<void>;
  readonly #resolve: () => void;
  #timer: NodeJS.Timeout | undefined;
  #tail = "";

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#resolve = resolve;
  }

  /** Takes what the console printed. */
  feed(data: Uint8Array): void {
    this.#tail = (this.#tail + Buffer.from(data).toString("latin1")).slice(-TAIL_CHARACTERS);
    const shown = stripVTControlCharacters(this.#tail);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#resolve, PROMPT.test(shown) ? PROMPT_MS : SILENCE_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#resolve();
  }
}
