/** A time that all threads of a Node process have in common, for clocks of harts on threads of their own. */

const NS_PER_MS = 1e6;
const SAMPLES = 5;

/** What `performance.now` of this thread lacks to the process's time; the smallest of several, as each is read a little late. */
const offset = Math.min(
  ...Array.from({ length: SAMPLES }, () => {
    const before = performance.now();
    return Number(process.hrtime.bigint()) / NS_PER_MS - before;
  }),
);

/** Milliseconds since some time before the process began. */
export const sharedNowMs = (): number => performance.now() + offset;
