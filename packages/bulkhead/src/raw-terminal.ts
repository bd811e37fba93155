/** Puts a terminal into raw mode and back. Back on every way out: also when the process ends or is continued. */
import type { Terminal } from "./streams.ts";

/** The key that leaves an interactive console: Ctrl-]. */
export const LEAVE_KEY = 0x1d;

/** Enters raw mode where `stdin` is a terminal. @returns what restores it; calling it again does nothing. */
export function rawTerminal(stdin: Terminal, lifetime: NodeJS.EventEmitter = process): () => void {
  if (stdin.isTTY !== true || stdin.setRawMode === undefined) return () => {};
  const set = (raw: boolean): void => {
    try {
      stdin.setRawMode?.(raw);
    } catch {
      // The terminal has gone: there is nothing to restore.
    }
  };
  // After a stop the shell has set its own modes: ours are asked for anew.
  const again = (): void => {
    set(false);
    set(true);
  };
  let entered = true;
  const restore = (): void => {
    if (!entered) return;
    entered = false;
    set(false);
    lifetime.off("exit", restore);
    lifetime.off("SIGCONT", again);
  };
  set(true);
  lifetime.on("exit", restore);
  lifetime.on("SIGCONT", again);
  return restore;
}
