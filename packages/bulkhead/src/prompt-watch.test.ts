import assert from "node:assert/strict";
import { test } from "node:test";
import { PromptWatch } from "./prompt-watch.ts";

/** Whether input is welcome once the console has printed these pieces. The timers are the test's own. */
const welcome = async (t: { mock: typeof test.mock }, afterMs: number, ...pieces: string[]): Promise<boolean> => {
  t.mock.timers.reset();
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const watch = new PromptWatch();
  let ready = false;
  void watch.ready.then(() => {
    ready = true;
  });
  for (const piece of pieces) watch.feed(Buffer.from(piece));
  t.mock.timers.tick(afterMs);
  await Promise.resolve();
  await Promise.resolve();
  const seen = ready;
  watch.stop();
  return seen;
};

test("PromptWatch: takes the end of a line with a prompt's mark for a prompt", async (t) => {
  for (const prompt of ["/ # ", "root@debian:~# ", "$ ", "=> ", "login: ", "~ # \x1b[6n", "\x1b[?2004h# "]) {
    assert.equal(await welcome(t, 200, "booting\r\n", prompt), true, JSON.stringify(prompt));
  }
});

test("PromptWatch: waits while the console goes on, and until the prompt has stood for a moment", async (t) => {
  assert.equal(await welcome(t, 200, "# ", "more\r\n"), false);
  assert.equal(await welcome(t, 100, "# "), false);
  assert.equal(await welcome(t, 5000, "[ 1.0] random: crng init done\r\n"), false);
});

test("PromptWatch: takes a long silence for an invitation", async (t) => {
  assert.equal(await welcome(t, 10_000, "Press any key\r\n"), true);
});
