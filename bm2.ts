// steady-state: ns of thread CPU per 1000 guest instructions over the second part, best of slices' windows
import { readFileSync } from "node:fs";
import { Machine, TranslatingProcessor } from "@bulkhead/machine";
const reps = Number(process.env.REPS ?? 1);
for (const name of process.argv.slice(2)) for (let r = 0; r < reps; r++) {
  let out = "";
  const m = new Machine({ ramSize: 256 * 2 ** 20, harts: 1, boot: { firmware: readFileSync(`/tmp/bm/${name}.elf`) } as any,
    processor: (memory: any, harts: any) => new TranslatingProcessor(memory, harts), onOutput: (b: any) => { out += new TextDecoder().decode(b); }, onReboot: () => "stop" } as any);
  m.start();
  const cpu = () => { const { user, system } = (process as any).threadCpuUsage(); return (user + system) / 1e6; };
  const t0 = performance.now(), c0 = cpu(), marks: [number, number][] = [];
  let next = 0;
  while (m.state === "running" && performance.now() - t0 < 60000) { m.runSlice(); const c = cpu(); if (c - c0 > next) { marks.push([c - c0, Number(m.harts[0].readCsr(0xb02))]); next += 0.02; } }
  const total = cpu() - c0; const n = Number(m.harts[0].readCsr(0xb02)); marks.push([total, n]);
  const at = marks.findIndex(([, i]) => i > n * 0.3);
  const [ca, na] = marks[at];
  console.log(name.padEnd(10), "cpu", total.toFixed(3), "s; steady", ((n - na) / 1e6 / (total - ca)).toFixed(0), "MIPS =>", (n / ((n - na) / (total - ca))).toFixed(3), "s", "init", ca.toFixed(3), na / 1e6 | 0, out.trim());
}
