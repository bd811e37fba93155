/** What a user or this host did wrong in a bench run: a code, a sentence and its cause. */

/** Each code with its exit code and general meaning. */
export const benchErrorCodes = {
  usage: { exit: 2, meaning: "the command line is wrong" },
  "tool-missing": { exit: 3, meaning: "a compiler or an emulator is not to be had" },
  "build-failed": { exit: 4, meaning: "a workload could not be built" },
  "guest-failed": { exit: 5, meaning: "a guest did not start, or did not answer in time" },
  "result-wrong": { exit: 6, meaning: "a checksum or a clock differs between machines" },
  "revision-missing": { exit: 7, meaning: "git does not know the revision" },
  interrupted: { exit: 130, meaning: "stopped by the user" },
} as const satisfies Record<string, { exit: number; meaning: string }>;

export type BenchErrorCode = keyof typeof benchErrorCodes;

export class BenchError extends Error {
  readonly code: BenchErrorCode;

  constructor(code: BenchErrorCode, sentence: string, options?: { cause?: unknown }) {
    super(sentence, options);
    this.name = "BenchError";
    this.code = code;
  }
}
