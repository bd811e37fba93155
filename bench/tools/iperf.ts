/** An iperf3 server on this host's loopback, which guests reach through their NAT. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { BenchError } from "../error.ts";
import { unpackPrograms } from "./unpacked-packages.ts";

const START_TIMEOUT_MS = 10_000;

/** The command that starts iperf3: the host's own, else Debian's, run from the cache. Errors: `tool-missing`. */
export async function findIperf(cache: string, onProgress: (text: string) => void): Promise<readonly string[]> {
  if (spawnSync("iperf3", ["--version"]).status === 0) return ["iperf3"];
  const tools = await unpackPrograms({ name: "iperf3", packages: ["iperf3"], cache, onProgress });
  return tools.command("usr/bin/iperf3");
}

export class IperfServer {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  /** Starts a server; resolves when it listens. Errors: `tool-missing`. */
  static async start(command: readonly string[], port: number): Promise<IperfServer> {
    const [file, ...fixed] = command;
    const child = spawn(file, [...fixed, "-s", "-B", "127.0.0.1", "-p", String(port), "--forceflush"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let said = "";
    const hear = (text: Buffer): void => {
      said = (said + text).slice(-1000);
      if (said.includes("listening")) resolve();
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    const fail = (why: string): void => reject(new BenchError("tool-missing", `iperf3 does not start: ${why}`));
    child.on("error", (error) => fail(error.message));
    child.on("exit", () => fail(said.trim()));
    const late = setTimeout(() => fail("it does not listen"), START_TIMEOUT_MS);
    try {
      await promise;
    } finally {
      clearTimeout(late);
    }
    return new IperfServer(port, child);
  }

  stop(): void {
    this.#child.kill("SIGTERM");
  }
}
