/** Quoting for a POSIX shell, so that a command's arguments reach the guest's command byte by byte. */

/** One word. @spec POSIX "Single-Quotes": nothing is special inside, and only a single quote cannot occur. */
export const quoteWord = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** A shell text that replaces the shell with the command. */
export const quoteCommand = (words: readonly string[]): string => `exec ${words.map(quoteWord).join(" ")}`;
