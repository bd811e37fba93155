import { readFileSync } from "node:fs";
import { Machine, TranslatingProcessor } from "@bulkhead/machine";
for (const name of process.argv.slice(2)) {
  let out = "";
  const m = new Machine({ ramSize: 256 * 2 ** 20, harts: 1, boot: { firmware: readFileSync(`/tmp/bm/${name}.elf`) } as any,
    processor: (memory, harts) => new TranslatingProcessor(memory, harts), onOutput: (b) => { out += new TextDecoder().decode(b); }, onReboot: () => "stop" });
  m.start();
  const t0 = performance.now(), c0 = process.cpuUsage().user;
  while (m.state === "running" && performance.now() - t0 < 60000) m.runSlice();
  const s = (performance.now() - t0) / 1000; const n = Number(m.harts[0].readCsr(0xb02));
  console.log(name.padEnd(10), s.toFixed(3), "s", ((process.cpuUsage().user - c0) / 1e6).toFixed(3), "cpu", (n / 1e6).toFixed(0), "M instr", (n / 1e6 / s).toFixed(0), "MIPS", out.trim());
}
