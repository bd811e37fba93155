/** QEMU's `virt` machine with TCG, started as its documentation recommends; one thread per hart, modern virtio. */
import { spawnSync } from "node:child_process";
import type { Emulator, GuestDescription } from "./emulator.ts";

/** The QEMU that a command starts, or undefined where it is not to be had. @param command program and fixed arguments. */
export function findQemu(command: readonly string[]): Emulator | undefined {
  const [file, ...fixed] = command;
  const { status, stdout } = spawnSync(file, [...fixed, "--version"], { encoding: "utf8" });
  const version = status === 0 ? /version (\d+)\.(\d+)\S*/.exec(stdout) : null;
  if (version === null) return undefined;
  return {
    name: `QEMU ${version[1]}.${version[2]}`,
    kind: "qemu",
    version: stdout.slice(0, stdout.indexOf("\n")),
    needsOwnDisks: false,
    commandLine: (guest) => ({ file, args: [...fixed, ...machineArguments(guest)] }),
  };
}

function machineArguments(guest: GuestDescription): string[] {
  const { kernel, initrd, append, memoryMiB, cpus, disks, writtenDisks = [], network = false, share } = guest;
  const machine = ["-M", "virt", "-accel", "tcg", "-smp", String(cpus), "-m", String(memoryMiB)];
  const console = ["-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot", "-nodefaults"];
  const virtio = ["-global", "virtio-mmio.force-legacy=false", "-device", "virtio-rng-device"];
  const images = [
    ...disks.map((path) => ({ path, rest: "format=raw,snapshot=on" })),
    ...writtenDisks.map(({ path, format }) => ({ path, rest: `format=${format}` })),
  ];
  const drives = images.flatMap(({ path, rest }, index) => [
    ...["-drive", `file=${path.replaceAll(",", ",,")},if=none,id=disk${index},${rest}`],
    ...["-device", `virtio-blk-device,drive=disk${index}`],
  ]);
  const nat = network ? ["-netdev", "user,id=nat", "-device", "virtio-net-device,netdev=nat"] : [];
  const folder = share?.replaceAll(",", ",,");
  const shared = share === undefined ? [] : ["-fsdev", `local,id=folder,path=${folder},security_model=none`];
  if (share !== undefined) shared.push("-device", "virtio-9p-device,fsdev=folder,mount_tag=share0");
  return [
    ...machine,
    ...console,
    ...virtio,
    ...drives,
    ...nat,
    ...shared,
    "-kernel",
    kernel,
    "-initrd",
    initrd,
    "-append",
    append,
  ];
}
