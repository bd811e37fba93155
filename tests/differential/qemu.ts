/** Debian's user-mode QEMU as an outside witness: runs images, and says which extensions it knows. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeElf } from "./elf.ts";
import { buildImage, type Image } from "./image.ts";
import type { ExtensionName } from "./pool.ts";
import type { Program } from "./program.ts";
import { operation } from "./sequences.ts";

const TIMEOUT_MS = 60_000;

/** An instruction of each extension that not every QEMU knows. */
const optional: Partial<Record<ExtensionName, string>> = {
  zba: "sh1add",
  zbb: "andn",
  zbc: "clmul",
  zbs: "bset",
  zicond: "czero.eqz",
  zfa: "fminm.s",
  zfhmin: "fmv.x.h",
  zacas: "amocas.w",
  zicboz: "cbo.zero",
  zicbom: "cbo.clean",
};
const always: readonly ExtensionName[] = ["i", "m", "a", "f", "d", "zicsr", "zifencei", "zihintpause"];

/** Instructions that QEMU gets wrong before a release. */
const faults: readonly { readonly name: string; readonly until: number; readonly fault: string }[] = [
  { name: "ctzw", until: 8, fault: "counts on through the upper word" },
];

export class Qemu {
  readonly command: string;
  readonly version: string;
  /** The model that it is asked for. */
  readonly cpu: string;
  readonly #folder = mkdtempSync(join(tmpdir(), "bulkhead-differential-"));
  #runs = 0;

  private constructor(command: string, version: string) {
    this.command = command;
    this.version = version;
    const { stdout: models } = spawnSync(command, ["-cpu", "help"], { encoding: "utf8" });
    this.cpu = /^\s*max$/m.test(models) ? "max" : "rv64,Zfhmin=true";
  }

  /** The QEMU that `command` starts, or undefined where it is not installed. */
  static find(command = process.env.QEMU_RISCV64 ?? "qemu-riscv64"): Qemu | undefined {
    const { status, stdout } = spawnSync(command, ["--version"], { encoding: "utf8" });
    return status === 0 ? new Qemu(command, stdout.slice(0, stdout.indexOf("\n"))) : undefined;
  }

  /** Instructions that this QEMU cannot be a witness for. */
  get distrusted(): ReadonlySet<string> {
    const release = Number(/version (\d+)/.exec(this.version)?.[1]);
    return new Set(faults.filter(({ until }) => release < until).map(({ name }) => name));
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs an image to its end; gives the programs' data. Rejects if QEMU is killed, as by an instruction it does not know. */
  run({ bytes }: Image): Promise<Uint8Array> {
    const path = join(this.#folder, `image-${this.#runs++}`);
    writeFileSync(path, writeElf(bytes), { mode: 0o700 });
    const options = { encoding: "buffer", maxBuffer: bytes.length, timeout: TIMEOUT_MS } as const;
    return new Promise((resolve, reject) => {
      execFile(this.command, ["-cpu", this.cpu, path], options, (error, stdout) => {
        rmSync(path, { force: true });
        if (error === null) resolve(stdout);
        else reject(new Error(`${this.version} did not run the programs`, { cause: error }));
      });
    });
  }

  /** The extensions that this QEMU executes, found by trying an instruction of each. */
  async extensions(): Promise<ExtensionName[]> {
    const tried = await Promise.all(
      (Object.entries(optional) as [ExtensionName, string][]).map(async ([extension, name]) => {
        const known = await this.run(buildImage([probe(name)])).then(
          () => true,
          () => false,
        );
        return known ? [extension] : [];
      }),
    );
    return [...always, ...tried.flat()];
  }
}

/** A program of one instruction whose address, if it has one, is in the scratch memory. */
function probe(name: string): Program {
  const base = 8;
  const zeros = (length: number) => Array.from({ length }, () => 0n);
  return {
    name: `probe ${name}`,
    base,
    items: [{ kind: "straight", operations: [operation(name, { rs1: base })] }],
    initial: { x: zeros(32), f: zeros(32), fcsr: 0, scratch: zeros(128) },
  };
}
