/** A C compiler: the host's own for comparison, and one for riscv64 that makes static programs. */
import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { BenchError } from "../error.ts";

const run = promisify(execFile);

export interface Compiler {
  /** What it says of itself. */
  readonly version: string;
  /** Compiles one C file into a program. Errors: `build-failed`. */
  compile(source: string, program: string, flags?: readonly string[]): Promise<void>;
}

/** The compiler that a command starts, or undefined where it is not to be had. */
export function findCompiler(command: readonly string[], fixedFlags: readonly string[]): Compiler | undefined {
  const [file, ...fixed] = command;
  const { status, stdout } = spawnSync(file, [...fixed, "--version"], { encoding: "utf8" });
  if (status !== 0) return undefined;
  return {
    version: stdout.slice(0, stdout.indexOf("\n")),
    async compile(source, program, flags = []) {
      try {
        await run(file, [...fixed, "-O2", ...fixedFlags, ...flags, "-o", program, source, "-lm"]);
      } catch (cause) {
        const said = (cause as { stderr?: string }).stderr?.trim() ?? String(cause);
        throw new BenchError("build-failed", `${file} cannot compile ${source}: ${said}`, { cause });
      }
    },
  };
}

/** The host's own compiler: native times are shown where there is one. */
export const hostCompiler = (): Compiler | undefined => findCompiler(["cc"], []);

/** Static programs, so that they run in any guest. */
export const riscvFlags: readonly string[] = ["-static", "-s", "-march=rv64gc", "-mabi=lp64d"];

/** The host's cross compiler, where Debian's gcc-riscv64-linux-gnu is installed. */
export const hostCrossCompiler = (): Compiler | undefined => findCompiler(["riscv64-linux-gnu-gcc"], riscvFlags);
