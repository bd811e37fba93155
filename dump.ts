// node dump.ts <elf> <outdir>: saves every wasm module compiled by the translator
import { readFileSync, writeFileSync, mkdirSync } from "node:fs";
const out = process.argv[3]; mkdirSync(out, { recursive: true });
const M = WebAssembly.Module; let n = 0;
(WebAssembly as any).Module = function (b: any) { writeFileSync(`${out}/${n++}.wasm`, new Uint8Array(b)); return new M(b); };
(WebAssembly as any).Module.prototype = M.prototype;
const { Machine, TranslatingProcessor } = await import("@bulkhead/machine");
const m = new Machine({ ramSize: 256 * 2 ** 20, harts: 1, boot: { firmware: readFileSync(`/tmp/bm/${process.argv[2]}.elf`) } as any,
    processor: (memory: any, harts: any) => new TranslatingProcessor(memory, harts), onOutput: () => {}, onReboot: () => "stop" } as any);
m.start();
while (m.state === "running") m.runSlice();
