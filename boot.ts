import { readFileSync } from "node:fs";
import { Machine, TranslatingProcessor } from "@bulkhead/machine";
const threshold = process.argv[2] === "interp" ? "never" : Number(process.argv[2] ?? 40);
const dir = process.env.DIR ?? "/root/.cache/bulkhead/images/busybox/";
const t0 = performance.now();
let first = 0, out = "";
let mm: any; let last = 0, off = 0;
const detClock = { ticks() { if (!mm) return 0; const w = mm.harts[0]; const t = off + Math.floor(Number(w.readCsr(0xb02)) / 50); if (t > last) last = t; return last; }, now() { return BigInt(this.ticks()); } };
const m = new Machine({ ...(process.env.DET ? { clock: detClock as any } : {}),
  ramSize: 1024 * 2 ** 20, harts: Number(process.env.H ?? 1),
  boot: { kernel: readFileSync(dir + "Image"), initrd: readFileSync(process.env.INITRD ?? dir + "initrd.cpio"),
    bootArguments: "console=ttyS0 panic=-1 bulkhead.console " + (process.env.APPEND ?? "") },
  processor: (memory, harts) => new TranslatingProcessor(memory, harts, threshold),
  onOutput: (b) => { const s = new TextDecoder().decode(b); out += s; if (process.env.V) process.stdout.write(s);
    if (/# \x1b\[6n/.test(out) && !first) first = performance.now() - t0; },
  onReboot: () => "stop",
});
mm = m; m.start();
const limit = Number(process.env.LIMIT ?? 60) * 1000;
const script = process.env.CMD;
const prompts = () => (out.match(/[#$] $/) ? 1 : 0);
let sent = false, done = 0;
const bad = /Oops|Segmentation fault|unhandled signal|Kernel panic/;
while (!bad.test(out) && m.state === "running" && performance.now() - t0 < limit && !done) {
  m.runSlice();
  if (first && !sent) { sent = true; if (!script) break; out = ""; m.platform.uart.receive?.(new TextEncoder().encode(script + "\n")); }
  else if (sent && /[#$] $/.test(out) && out.length > (script?.length ?? 0) + 6) done = performance.now() - t0;
  const idle = m.idleMs();
  if (process.env.DET && idle > 0) { off += Math.ceil(idle * 10000); if (idle === Infinity) break; } else if (idle > 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.min(idle, 100));
}
console.log("\nfirst prompt", (first / 1000).toFixed(2), "done", done/1000, "instret", m.harts[0].readCsr(0xb02), "pc", m.harts[0].pc.toString(16), "cpu", process.cpuUsage().user / 1e6, "rss", process.memoryUsage().rss / 1e6);
console.log((globalThis as any).S)
import { writeFileSync } from "node:fs"; writeFileSync("/tmp/boot.out", out);
