/** The command line: commands, options and help, declared once. What they do is in the handlers that `main` gives. */
import { MOST_CPUS, MOST_MEMORY_MIB } from "@bulkhead/hypervisor";
import { Command, CommanderError, Option } from "commander";
import { DISK_HELP } from "./disk-option.ts";
import { exitCodeTable } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import { parseNetwork, parsePublish } from "./network/request.ts";
import { orderedRule } from "./network/rules.ts";
import { collect, collectAs, LEAST_MEMORY_MIB, type RunOptions, wholeNumber } from "./options.ts";
import { parseShare, SHARE_HELP } from "./share-option.ts";
import { parseVsock } from "./vsock-option.ts";

export interface BuildOptions {
  readonly include?: string;
  readonly from?: string;
  readonly mirror?: string;
  readonly size?: number;
}

export interface Handlers {
  run(image: string | undefined, options: RunOptions): Promise<number>;
  list(options: { json?: boolean }): Promise<number>;
  build(name: string, options: BuildOptions): Promise<number>;
  remove(name: string): Promise<number>;
}

const EXAMPLES = `
Examples:
  bulkhead run debian                          a root shell in Debian; Ctrl-] leaves, poweroff ends it
  bulkhead run busybox -- uname -m             prints riscv64
  echo hi | bulkhead run busybox -- cat        input, output, signals and the exit code pass through
  bulkhead run debian --disk data.img -- mount /dev/vdb /mnt
  bulkhead run --kernel Image --initrd initrd.gz --append "console=ttyS0 quiet"
  bulkhead run busybox --share .:/src -- ls /src
  bulkhead run --firmware u-boot.elf --disk disk.img
  bulkhead images build tools --include gcc,make`;

const RUN_NOTES = `
An image is built on its first use, from Debian's own packages; bulkhead images lists them. Its disk is left as it is:
what the guest writes to it is thrown away at the end unless --persist is given. A --disk is written to.
An image's own disk is /dev/vda; those given with --disk follow, in their order.
${DISK_HELP}${SHARE_HELP}
Without a COMMAND the terminal becomes the guest's serial console: Ctrl-] leaves at once (as if the power failed),
poweroff in the guest ends the program cleanly, reboot starts the guest again. Text piped in is typed into its shell,
and then a reboot ends the program too.

A guest reaches the network through a NAT that needs no privileges; it gets its address by DHCP and finds this host's
name servers. This host itself (rule: host), link-local addresses and clouds' metadata services are refused unless
--allow names them. Of --allow and --deny the first rule that matches decides: --allow example.org --deny all.
Published ports listen on 127.0.0.1 unless an ADDRESS is given. Guests with the same --network NAME, also of other
bulkhead processes of this user, see each other and nothing else; NAME,vlan=N keeps them apart within it.

With --vsock a program of this host connects to PATH, writes "CONNECT PORT" and a newline, and reads "OK N" when a program of
the guest's accepts; a guest that connects to PORT of CID 2 reaches the program that listens on PATH_PORT. The guest is CID 3.

The first run of an image with a COMMAND boots it and keeps a snapshot of the guest as it waits for one; later runs with the same
settings go on from it, with fresh random numbers, a machine id of their own and the right time. --no-snapshot boots.

With a COMMAND its output, exit code and signals are those of bulkhead. Ctrl-C goes to the command; pressed twice it
stops the machine. A guest with disks that are written to is shut down after the command, any other just stopped.

With --profile a table of tiers, functions and processes follows on stderr; Perfetto, Chrome's trace viewer and
speedscope open FILE.json.
${EXAMPLES}
`;

const EXIT_CODES = `
Exit codes: those of the command, 128 + n for a command that signal n ended, or
${exitCodeTable()}
`;

const IMAGE_NOTES = `
Examples:
  bulkhead images                              what there is, what is built, how large it is
  bulkhead images build debian --size 8
  bulkhead images build tools --include gcc,make
  bulkhead images remove tools

Images are kept in $BULKHEAD_CACHE, else in $XDG_CACHE_HOME/bulkhead, else in ~/.cache/bulkhead.
`;

/** The program with its commands. Parsing calls a handler and hands its exit code to `done`. */
export function program(handlers: Handlers, version: string, done: (exit: number) => void): Command {
  const root = new Command("bulkhead")
    .description("Boots unmodified 64-bit RISC-V Linux in Node.js: no root, no KVM, nothing to install.")
    .version(version)
    .addHelpText("after", EXAMPLES)
    .addHelpText("after", EXIT_CODES)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: () => {}, writeErr: () => {} });
  addRun(root, handlers, done);
  addImages(root, handlers, done);
  return root;
}

function addRun(root: Command, handlers: Handlers, done: (exit: number) => void): void {
  root
    .command("run")
    .usage("[options] IMAGE [-- COMMAND ...]")
    .summary("run a guest: an interactive console, or one command in it")
    .description("Runs a guest: without a COMMAND an interactive console, else the command and nothing else.")
    .argument("[IMAGE]", "busybox, debian or an image of your own; may be left out with --kernel or --firmware")
    .option("--memory <MiB>", "memory of the guest", wholeNumber(LEAST_MEMORY_MIB, MOST_MEMORY_MIB, "MiB"), 1024)
    .option(
      "--balloon <MiB>",
      "have the guest give up so much of its memory again",
      wholeNumber(0, MOST_MEMORY_MIB, "MiB"),
    )
    .option("--cpus <N>", "CPUs of the guest", wholeNumber(1, MOST_CPUS, "CPUs"), 1)
    .addOption(
      new Option("--disk <FILE[,...]>", "attach a disk, raw, qcow2 or on an NBD server; may be repeated")
        .argParser(collect)
        .default([], "none"),
    )
    .option(
      "--share <HOST:GUEST[:ro]>",
      "make a folder of this host appear at a path of the guest; may be repeated",
      collectAs(parseShare),
    )
    .option("--no-snapshot", "boot, and keep no snapshot for later runs")
    .option("--persist", "write to the image's own disk")
    .option("--kernel <FILE>", "start this RISC-V Image instead of the image's kernel")
    .option("--initrd <FILE>", "give the kernel this initial RAM disk")
    .option("--append <TEXT>", "add to the kernel's command line")
    .option("--firmware <FILE>", "start this M-mode firmware (OpenSBI, U-Boot); --kernel is what it starts next")
    .option(
      "--network <NETWORK>",
      "plug the guest into nat (the default), none, a private network of that NAME, passt:SOCKET or tap:FD; " +
        "may be repeated",
      collectAs(parseNetwork),
    )
    .option(
      "--publish <HOST:GUEST>",
      "make a port of the guest reachable at one of this host; [ADDRESS:]HOST:GUEST[/udp]; may be repeated",
      collectAs(parsePublish),
    )
    .option("--allow <RULE>", "let the guest reach an address, range or name[:PORT]", collectAs(orderedRule(true)))
    .option("--deny <RULE>", "keep the guest from reaching it", collectAs(orderedRule(false)))
    .option(
      "--vsock <PATH[,cid=N]>",
      "reach the guest's sockets (AF_VSOCK) through UNIX sockets at PATH, and be reached at PATH_PORT",
      parseVsock,
    )
    .option("--capture <FILE>", "write all the guest's frames to a file for tcpdump -r")
    .option("--profile <FILE>", "write where the time goes to FILE.json (trace events) or FILE.folded (stacks)")
    .addHelpText("after", RUN_NOTES)
    .addHelpText("after", EXIT_CODES)
    .action(async (image: string | undefined, options: RunOptions) => done(await handlers.run(image, options)));
}

function addImages(root: Command, handlers: Handlers, done: (exit: number) => void): void {
  const images = root
    .command("images")
    .summary("list, build and remove images")
    .description("Lists, builds and removes images.")
    .helpCommand(false)
    .addHelpText("after", IMAGE_NOTES);
  images
    .command("list", { isDefault: true })
    .description("List the images. This is what bulkhead images does without a subcommand.")
    .option("--json", "as JSON")
    .action(async (options: { json?: boolean }) => done(await handlers.list(options)));
  images
    .command("build")
    .description("Build an image, or build it anew.")
    .argument("<NAME>", "busybox, debian, or a name for an image of your own")
    .option("--include <PKG,...>", "install these Debian packages too")
    .option("--from <IMAGE>", "what an image of your own starts from")
    .option("--mirror <URL>", "take Debian's packages from this mirror instead of the one apt is set up with")
    .option("--size <GiB>", "size of the image's disk", wholeNumber(1, 1024, "GiB"))
    .action(async (name: string, options: BuildOptions) => done(await handlers.build(name, options)));
  images
    .command("remove")
    .description("Remove an image from the cache.")
    .argument("<NAME>")
    .action(async (name: string) => done(await handlers.remove(name)));
}

/** Exit code of what commander threw: 0 after help or the version. Errors: `usage` for everything else of commander's. */
export function exitOfParse(error: unknown): number {
  if (!(error instanceof CommanderError)) throw error;
  if (error.exitCode === 0) return 0;
  const message = error.message.replace(/^error: /, "").replace(/\.$/, "");
  if (error.code === "commander.excessArguments") {
    throw new CliError("usage", `${message}; a COMMAND goes behind --, as in: bulkhead run busybox -- uname -m`);
  }
  throw new CliError("usage", `${message}; see bulkhead --help`, { cause: error });
}
