// What a user does with Debian's firmware packages: OpenSBI starts U-Boot, U-Boot starts a kernel from a disk.
import assert from "node:assert/strict";
import { access, copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ensureImage } from "@bulkhead/guests";
import { Cli, cli, printed, withFolder } from "../cli/cli.ts";
import { skipWithout } from "../cli/guest.ts";
import { makeDisk } from "./disk.ts";

// Packages opensbi, u-boot-qemu and e2fsprogs.
const OPENSBI = "/usr/lib/riscv64-linux-gnu/opensbi/generic";
const UBOOT = "/usr/lib/u-boot";

async function skipWithoutFiles(...paths: string[]): Promise<false | string> {
  for (const path of paths) {
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (!found) return `${path} is not installed here`;
  }
  return false;
}

const noFirmware = await skipWithoutFiles(`${OPENSBI}/fw_jump.elf`, `${UBOOT}/qemu-riscv64_smode/uboot.elf`);
const noDisk = noFirmware || (await skipWithoutFiles("/usr/sbin/mke2fs")) || (await skipWithout("busybox"));

const EXTLINUX = `
default busybox
label busybox
  kernel /Image
  initrd /initrd
  append console=ttyS0 bulkhead.console
`;

test("firmware: OpenSBI and U-Boot start a kernel that a disk's extlinux.conf names", { skip: noDisk }, () =>
  withFolder(async (folder) => {
    const content = join(folder, "content");
    const disk = join(folder, "disk.img");
    const { kernel, initrd } = await ensureImage("busybox");
    await mkdir(join(content, "extlinux"), { recursive: true });
    await copyFile(kernel, join(content, "Image"));
    await copyFile(initrd ?? assert.fail("busybox has an initrd"), join(content, "initrd"));
    await writeFile(join(content, "extlinux", "extlinux.conf"), EXTLINUX);
    await makeDisk(disk, content, 96);
    const firmware = ["--firmware", `${OPENSBI}/fw_dynamic.bin`, "--kernel", `${UBOOT}/qemu-riscv64_smode/uboot.elf`];
    const running = new Cli([
      "run",
      ...firmware,
      "--network",
      "none",
      "--disk",
      disk,
      "--cpus",
      "2",
      "--memory",
      "512",
    ]);
    await printed(running, "~ # ");
    running.process.stdin.write('echo "$(uname -m) on $(nproc), disk $(head -c 512 /dev/vda | wc -c)"; poweroff\n');
    const { code, stdout, stderr } = await running.ended;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^OpenSBI v/m);
    assert.match(stdout, /^U-Boot /m);
    assert.match(stdout, /SBI implementation ID=0x1 /);
    assert.match(stdout, /^riscv64 on 2, disk 512\r$/m);
  }),
);

const started: Record<string, readonly string[]> = {
  "fw_jump in an ELF file and U-Boot in a raw one": [
    ...["--firmware", `${OPENSBI}/fw_jump.elf`],
    ...["--kernel", `${UBOOT}/qemu-riscv64_smode/u-boot.bin`],
  ],
  "U-Boot without OpenSBI": ["--firmware", `${UBOOT}/qemu-riscv64/uboot.elf`],
};

for (const [name, args] of Object.entries(started)) {
  for (const command of ["poweroff", "reset"]) {
    test(`firmware: ${name} reaches its prompt, and ${command} ends the run`, { skip: noFirmware }, async () => {
      const { code, stdout, stderr } = await cli(["run", "--network", "none", ...args], { input: `${command}\n` });
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^=> /m);
      assert.equal(stdout.match(/^U-Boot /gm)?.length, 1);
    });
  }
}
