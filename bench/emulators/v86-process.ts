/** Runs v86 with its serial console on standard input and output: v86-process.ts MODULE BIOS VGA-BIOS KERNEL INITRD. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** As much of v86's module as is used here. */
interface V86Module {
  readonly V86: new (options: Record<string, unknown>) => V86Machine;
}
interface V86Machine {
  add_listener(event: "serial0-output-byte", listener: (byte: number) => void): void;
  serial0_send(text: string): void;
}

const MEMORY_BYTES = 256 << 20;

const [path, ...files] = process.argv.slice(2);
const [bios, vgaBios, kernel, initrd] = files.map((file) => ({ buffer: new Uint8Array(readFileSync(file)).buffer }));
const { V86 } = (await import(pathToFileURL(path).href)) as V86Module;
const machine = new V86({
  wasm_path: join(dirname(path), "v86.wasm"),
  memory_size: MEMORY_BYTES,
  vga_memory_size: 2 << 20,
  bios,
  vga_bios: vgaBios,
  bzimage: kernel,
  initrd,
  cmdline: "console=ttyS0 quiet loglevel=1 tsc=reliable mitigations=off random.trust_cpu=on",
  autostart: true,
  disable_speaker: true,
});
machine.add_listener("serial0-output-byte", (byte) => process.stdout.write(Uint8Array.of(byte)));
process.stdin.setEncoding("latin1").on("data", (text) => machine.serial0_send(String(text)));
