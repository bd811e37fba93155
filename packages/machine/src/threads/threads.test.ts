import assert from "node:assert/strict";
import { test } from "node:test";
import {
  a0,
  a1,
  a2,
  add,
  addi,
  ECALL,
  ld,
  li,
  SELF,
  sb,
  shutdown,
  sw,
  t0,
  t1,
  t2,
  WFI,
  zero,
} from "../sample-assembler.ts";
import {
  amoadd,
  amocasq,
  amoswap,
  csrrs,
  csrrw,
  FENCE_I,
  fence,
  fenceReads,
  fenceWrites,
  jalr,
  lr,
  Program,
  ra,
  s0,
  s1,
  s2,
  s3,
  s4,
  s5,
  s6,
  sc,
  sd,
  slli,
  t3,
  t4,
  t5,
} from "./testing/program.ts";
import { runThreaded } from "./testing/threaded-machine-node.ts";

const DATA = 0x8080_0000;
const HSM = 0x48_534d;
const IPI = 0x73_5049;
const RFENCE = 0x5246_4e43;
const SIP = 0x144;
const SIE = 0x104;
const SSIP = 2;
/** Offsets from `DATA`, on lines of their own; results of a test begin at 0. */
const DONE = 1024;

/**
 * A kernel whose hart 0 starts all others at `others`; each hart has its number in `s1` and the address of the data in
 * `s0`. After `main`, hart 0 waits for all that end with `finish`, and shuts down.
 */
function kernel(harts: number, main: (p: Program) => void, others: (p: Program) => void): number[] {
  const p = new Program();
  p.pointer(s0, DATA).do(addi(s1, zero, 0));
  for (let hart = 1; hart < harts; hart++) {
    p.do(...li(a0, hart))
      .address(a1, "other")
      .do(addi(a2, zero, 0))
      .sbi(HSM, 0);
  }
  p.jump("main")
    .label("other")
    .pointer(s0, DATA)
    .do(addi(s1, a0, 0));
  others(p);
  p.label("main");
  main(p);
  p.do(...li(t1, harts - 1))
    .label("wait")
    .do(ld(t2, s0, DONE))
    .bne(t1, t2, "wait");
  p.do(...shutdown, SELF);
  return p.words();
}

/** A hart that is not the first says that it is done, and waits for ever. */
const finish = (p: Program): Program => {
  const asleep = p.fresh();
  return p
    .do(fence, addi(t1, zero, 1), addi(t0, s0, DONE), amoadd(zero, t1, t0))
    .label(asleep)
    .do(WFI)
    .jump(asleep);
};

/** The same on every hart. */
const together = (harts: number, body: (p: Program, suffix: string) => void): number[] =>
  kernel(
    harts,
    (p) => body(p, "0"),
    (p) => {
      body(p, "1");
      finish(p);
    },
  );

const ROUNDS = 20_000;
for (const harts of [2, 4]) {
  test(`threads: atomics and locks count exactly, ${harts} harts`, async () => {
    const words = together(harts, (p, suffix) => {
      p.repeat(s2, ROUNDS, () => {
        p.do(addi(t1, zero, 1), amoadd(zero, t1, s0));
        p.label(`retry${suffix}`).do(addi(t2, s0, 64), lr(t3, t2), addi(t3, t3, 1), sc(t4, t3, t2));
        p.bne(t4, zero, `retry${suffix}`);
        p.do(addi(t2, s0, 128))
          .label(`lock${suffix}`)
          .do(addi(t1, zero, 1), amoswap(t1, t1, t2));
        p.bne(t1, zero, `lock${suffix}`);
        p.do(ld(t3, s0, 192), addi(t3, t3, 1), sd(t3, s0, 192), amoswap(zero, zero, t2));
      });
    });
    const { at } = await runThreaded(harts, words);
    for (const offset of [0, 64, 192]) assert.deepEqual(at(DATA + offset, 1), [BigInt(harts * ROUNDS)]);
  });
}

test("threads: a 16-byte compare-and-swap is one access", async () => {
  const rounds = 5000;
  const words = together(2, (p, suffix) => {
    // Both halves of the pair count together; x10 and x11 are what is expected, x12 and x13 what is wanted.
    p.repeat(s2, rounds, () => {
      p.label(`again${suffix}`).do(ld(a0, s0, 0), ld(a1, s0, 8), addi(12, a0, 1), addi(13, a1, 3));
      p.do(addi(s3, a0, 0), addi(s4, a1, 0), amocasq(a0, 12, s0)).bne(a0, s3, `again${suffix}`);
      p.bne(a1, s4, `again${suffix}`);
    });
  });
  const { at } = await runThreaded(2, words);
  assert.deepEqual(at(DATA, 2), [BigInt(2 * rounds), BigInt(6 * rounds)]);
});

test("threads: what is written before a fence is seen by who sees what is written behind it", async () => {
  const words = kernel(
    2,
    (p) => {
      p.do(...li(s2, 200_000), addi(t1, zero, 0)).label("send");
      p.do(addi(t1, t1, 1), sd(t1, s0, 0), fenceWrites, sd(t1, s0, 64)).bne(t1, s2, "send");
    },
    (p) => {
      p.do(...li(s2, 200_000))
        .label("look")
        .do(ld(t1, s0, 64), fenceReads, ld(t2, s0, 0));
      p.bltu(t2, t1, "stale").bne(t1, s2, "look");
      finish(p);
      p.label("stale")
        .do(addi(t3, zero, 1), sd(t3, s0, 128))
        .jump("look");
    },
  );
  const { at } = await runThreaded(2, words);
  assert.deepEqual(at(DATA + 128, 1), [0n]);
});

test("threads: after a full fence one of two harts sees the other's store", async () => {
  // Each round both meet at a barrier, store to their own word, fence, and read the other's: not both may read the old one.
  const rounds = 1500;
  const side = (p: Program, mine: number, others: number, result: number) => {
    p.do(...li(s2, rounds), addi(s3, zero, 0))
      .label(`round${mine}`)
      .do(addi(s3, s3, 1));
    p.do(addi(t1, zero, 1), addi(t0, s0, 512), amoadd(zero, t1, t0), add(t2, s3, s3));
    p.label(`meet${mine}`)
      .do(ld(t3, s0, 512))
      .bltu(t3, t2, `meet${mine}`);
    p.do(sd(s3, s0, mine), fence, ld(t4, s0, others), sd(t4, s0, result));
    // A second barrier, behind which hart 0 compares.
    p.do(addi(t1, zero, 1), addi(t0, s0, 576), amoadd(zero, t1, t0));
    p.label(`part${mine}`)
      .do(ld(t3, s0, 576))
      .bltu(t3, t2, `part${mine}`);
    if (mine === 0) {
      p.do(ld(t3, s0, 256))
        .beq(t3, s3, "fine")
        .do(ld(t3, s0, 320))
        .beq(t3, s3, "fine");
      p.do(ld(t5, s0, 640), addi(t5, t5, 1), sd(t5, s0, 640)).label("fine");
    }
    // A third one, so that results are not overwritten before.
    p.do(addi(t1, zero, 1), addi(t0, s0, 704), amoadd(zero, t1, t0));
    p.label(`go${mine}`)
      .do(ld(t3, s0, 704))
      .bltu(t3, t2, `go${mine}`);
    p.bne(s3, s2, `round${mine}`);
  };
  const words = kernel(
    2,
    (p) => side(p, 0, 64, 256),
    (p) => {
      side(p, 64, 0, 320);
      finish(p);
    },
  );
  const { at } = await runThreaded(2, words);
  assert.deepEqual(at(DATA + 640, 1), [0n]);
});

for (const remote of [true, false]) {
  const how = remote ? "a remote fence.i" : "a message and its own fence.i";
  test(`threads: a hart executes what another has written, after ${how}`, async () => {
    const rounds = 100;
    const words = kernel(
      2,
      (p) => {
        // Rewrites `function`, whose first instruction is addi a0, zero, round.
        p.address(s2, "function").do(...li(s3, rounds), addi(s4, zero, 0));
        p.label("rewrite").do(addi(s4, s4, 1), slli(t1, s4, 20), addi(t1, t1, 0x513), sw(t1, s2, 0), fence);
        if (remote) p.sbi(RFENCE, 0, 2, 0);
        p.do(sd(s4, s0, 0));
        // Waits for the other to have called it, so that it is translated time and again.
        p.label("seen")
          .do(ld(t1, s0, 64))
          .bltu(t1, s4, "seen")
          .bne(s4, s3, "rewrite");
      },
      (p) => {
        p.do(...li(s3, rounds))
          .label("call")
          .do(ld(s5, s0, 0), fenceReads);
        if (!remote) p.do(FENCE_I);
        p.jump("function", ra)
          .bltu(a0, s5, "stale")
          .do(sd(s5, s0, 64))
          .bne(s5, s3, "call");
        finish(p);
        p.label("stale")
          .do(ld(t1, s0, 128), addi(t1, t1, 1), sd(t1, s0, 128), sd(s5, s0, 64))
          .jump("call");
        p.label("function").do(addi(a0, zero, 0), jalr(zero, ra));
      },
    );
    for (const tier of [0, 40, "random"] as const) {
      const { at } = await runThreaded(2, words, { tier });
      assert.deepEqual(at(DATA + 128, 1), [0n]);
    }
  });
}

test("threads: harts wake one another with interrupts", async () => {
  const rounds = 500;
  const side = (p: Program, suffix: string, target: number) => {
    p.label(`sleep${suffix}`)
      .do(csrrs(t1, SIP, zero), addi(t2, zero, SSIP))
      .beq(t1, t2, `ring${suffix}`);
    p.do(WFI).jump(`sleep${suffix}`);
    p.label(`ring${suffix}`).do(csrrw(zero, SIP, zero), ld(t1, s0, 0), addi(t1, t1, 1), sd(t1, s0, 0));
    p.sbi(IPI, 0, 1 << target, 0);
  };
  const words = kernel(
    2,
    (p) => {
      p.do(...li(t1, SSIP), csrrw(zero, SIE, t1))
        .label("up")
        .do(ld(t1, s0, 64))
        .beq(t1, zero, "up");
      p.sbi(IPI, 0, 2, 0).repeat(s2, rounds, () => side(p, "0", 1));
    },
    (p) => {
      p.do(...li(t1, SSIP), csrrw(zero, SIE, t1), sd(t1, s0, 64));
      p.repeat(s2, rounds, () => side(p, "1", 0));
      finish(p);
    },
  );
  const { at } = await runThreaded(2, words);
  assert.deepEqual(at(DATA, 1), [BigInt(2 * rounds)]);
});

test("threads: harts that fence one another all at once get through", async () => {
  const words = together(3, (p) => {
    p.repeat(s2, 300, () => {
      p.sbi(RFENCE, 1, 7, 0, 0x1000, 0x1000);
      p.sbi(RFENCE, 0, 7, 0);
      p.sbi(RFENCE, 2, 7, 0, 0, 0, 1);
    });
  });
  const { machine } = await runThreaded(3, words);
  assert.deepEqual(machine.state, { stopped: "poweroff", code: 0 });
});

test("threads: a hart starts and stops again and again", async () => {
  const rounds = 500;
  const p = new Program();
  p.pointer(s0, DATA).repeat(s2, rounds, () => {
    p.do(addi(a0, zero, 1))
      .address(a1, "other")
      .do(addi(a2, s2, 0))
      .sbi(HSM, 0)
      .bne(a0, zero, "bad");
    const wait = p.fresh();
    p.label(wait)
      .do(addi(a0, zero, 1))
      .sbi(HSM, 2)
      .do(addi(t1, zero, 1))
      .bne(a1, t1, wait);
  });
  p.label("bad").do(...shutdown, SELF);
  p.label("other")
    .pointer(s0, DATA)
    .do(ld(t1, s0, 0), addi(t1, t1, 1), sd(t1, s0, 0), add(s6, a1, zero));
  p.do(ld(t1, s0, 64), add(t1, t1, s6), sd(t1, s0, 64))
    .sbi(HSM, 1)
    .do(SELF);
  const { at } = await runThreaded(2, p.words());
  assert.deepEqual(at(DATA, 1), [BigInt(rounds)]);
  assert.deepEqual(at(DATA + 64, 1), [BigInt((rounds * (rounds + 1)) / 2)]);
});

test("threads: devices answer harts of other threads, while hart 0 runs and while it sleeps", async () => {
  for (const busy of [true, false]) {
    const words = kernel(
      2,
      (p) => {
        if (!busy) p.label("nap").do(WFI).jump("nap");
      },
      (p) => {
        p.do(...li(s2, 0x1000_0000), addi(s3, zero, 0), addi(s4, zero, 26)).repeat(s5, 20, () => {
          const next = p.fresh();
          p.do(addi(s3, zero, 0))
            .label(next)
            .do(addi(t1, s3, 97), sb(t1, s2, 0), addi(s3, s3, 1))
            .bne(s3, s4, next);
        });
        // DBCN, then power-off through the test device.
        p.sbi(0x4442_434e, 2, 33).do(...li(t0, 0x10_0000), ...li(t1, 0x5555), sw(t1, t0, 0), SELF);
      },
    );
    const { machine, output } = await runThreaded(2, words);
    assert.equal(output, `${"abcdefghijklmnopqrstuvwxyz".repeat(20)}!`);
    assert.deepEqual(machine.state, { stopped: "poweroff", code: 0 });
  }
});

test("threads: a machine restarts from any hart, with all harts", async () => {
  let reboots = 0;
  const words = kernel(
    3,
    (p) => void p.label("nap").do(WFI).jump("nap"),
    (p) => {
      p.do(addi(t1, zero, 1), amoadd(t2, t1, s0), addi(t3, zero, 1))
        .beq(t2, t3, "second")
        .label("spin")
        .jump("spin");
      p.label("second")
        .do(sd(zero, s0, 0))
        .sbi(0x5352_5354, 0, 1, 0)
        .do(SELF);
    },
  );
  const { machine } = await runThreaded(3, words, { onReboot: () => (++reboots < 20 ? "restart" : "stop") });
  assert.equal(reboots, 20);
  assert.deepEqual(machine.state, { stopped: "reset", code: 0 });
});

test("threads: knows when no hart can ever go on", async () => {
  const asleep = (p: Program) => void p.do(csrrw(zero, SIE, zero)).label(`nap${p.fresh()}`);
  const words = kernel(
    2,
    (p) => {
      asleep(p);
      p.label("halt").do(WFI).jump("halt");
    },
    (p) => {
      asleep(p);
      p.label("sleep").do(WFI).jump("sleep");
    },
  );
  const { machine, halted } = await runThreaded(2, words);
  assert.equal(machine.state, "running");
  assert.equal(halted, true);
});

test("threads: a hart's timer wakes it, and all harts see the same time", async () => {
  const TIME = 0xc01;
  // The other hart sets its timer, sleeps, and then writes what time it is; hart 0 compares with what it sees afterwards.
  const words = kernel(
    2,
    (q) => {
      q.label("early")
        .do(ld(s2, s0, 0))
        .beq(s2, zero, "early")
        .do(csrrs(t1, TIME, zero))
        .bltu(t1, s2, "back");
      q.jump("fine")
        .label("back")
        .do(sd(t1, s0, 64))
        .label("fine");
    },
    (q) => {
      q.do(csrrs(a0, TIME, zero), ...li(t1, 20_000), add(a0, a0, t1), add(s5, a0, zero));
      q.do(...li(17, 0x5449_4d45), addi(16, zero, 0), ECALL);
      q.do(...li(t1, 1 << 5), csrrw(zero, SIE, t1))
        .label("sleep")
        .do(WFI, csrrs(t1, SIP, zero));
      q.beq(t1, zero, "sleep").do(csrrs(t2, TIME, zero), sd(t2, s0, 0), sd(s5, s0, 128), csrrw(zero, SIE, zero));
      finish(q);
    },
  );
  const { at } = await runThreaded(2, words);
  assert.deepEqual(at(DATA + 64, 1), [0n]);
  const [[woke], [asked]] = [at(DATA, 1), at(DATA + 128, 1)];
  assert.ok(woke! >= asked!);
});
