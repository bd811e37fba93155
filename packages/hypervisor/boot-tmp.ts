import { readFileSync } from "node:fs";
import { Block, Console, Entropy, MmioTransport, Overlay } from "@bulkhead/devices";
import { openDisk, openTemporaryDisk } from "@bulkhead/devices/node";
import { Machine, TranslatingProcessor } from "@bulkhead/machine";

const threshold = process.argv[2] === "interp" ? "never" : Number(process.argv[2] ?? 40);
const dir = "/tmp/mc/images/debian/";
const t0 = performance.now();
let first = 0,
  out = "";
const m = new Machine({
  ramSize: 1024 * 2 ** 20,
  harts: Number(process.env.H ?? 1),
  boot: {
    kernel: readFileSync(dir + "Image"),
    initrd: readFileSync(dir + "initrd.cpio"),
    bootArguments:
      "console=ttyS0 root=/dev/vda rw panic=-1 bulkhead.console systemd.show_status=1 " + (process.env.APPEND ?? ""),
  },
  processor: (memory, harts) => new TranslatingProcessor(memory, harts, threshold),
  onOutput: (b) => {
    const s = new TextDecoder().decode(b);
    out += s;
    if (process.env.V) process.stdout.write(s);
    if (/root@\w+:~# /.test(out) && !first) {
      first = performance.now() - t0;
    }
    if (/Run \/init/.test(s)) console.log("init", ((performance.now() - t0) / 1000).toFixed(2));
  },
  onReboot: "stop",
});
const base = openDisk(dir + "disk.raw", { readOnly: true, claimed: true });
m.attachVirtio(
  0,
  (line) => new MmioTransport(new Block(new Overlay(base, openTemporaryDisk(base.size))), m.memory, line),
);
m.attachVirtio(1, (line) => new MmioTransport(new Console([{ onData() {} }]), m.memory, line));
m.attachVirtio(2, (line) => new MmioTransport(new Entropy(), m.memory, line));
m.start();
const limit = Number(process.env.LIMIT ?? 200) * 1000;
let idleTotal = 0;
while (m.state === "running" && performance.now() - t0 < limit && !first) {
  m.runSlice();
  const idle = m.idleMs();
  if (idle > 1) {
    const a = performance.now();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.min(idle, 100));
    idleTotal += performance.now() - a;
  }
}
console.log(
  "login",
  (first / 1000).toFixed(2),
  "instret",
  m.harts[0].readCsr(0xb02),
  "cpu",
  process.cpuUsage().user / 1e6,
  "idle",
  idleTotal,
  "rss",
  process.memoryUsage().rss / 1e6,
);

const dv = m.memory.view; const g = globalThis as any;
console.log("jit instr", dv.getBigInt64(64,true), "region calls", dv.getBigInt64(72,true), "interp instr", dv.getBigInt64(80,true), "invalidations", g.inv, g.invR, "compiled", g.compiled, "bytes", g.bytes);
