// The packages that images are made of, as small made-up ones: enough for every step but running a guest.
import { deviceModules, fileSystemModules, systemModules } from "../kernel/modules.ts";
import type { MadePackage } from "./loopback-mirror.ts";

const encoder = new TextEncoder();

/** An ELF file with nothing but a `.modinfo` section. */
export function makeModule(modinfo: Record<string, string[]>): Uint8Array<ArrayBuffer> {
  const text = Object.entries(modinfo).flatMap(([key, values]) => values.map((value) => `${key}=${value}\0`));
  const content = encoder.encode(text.join(""));
  const names = encoder.encode("\0.modinfo\0.shstrtab\0");
  const bytes = new Uint8Array(64 + content.length + names.length + 3 * 64);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const table = 64 + content.length + names.length;
  view.setBigUint64(0x28, BigInt(table), true);
  view.setUint16(0x3a, 64, true);
  view.setUint16(0x3c, 3, true);
  view.setUint16(0x3e, 2, true);
  bytes.set(content, 64);
  bytes.set(names, 64 + content.length);
  const section = (index: number, name: number, offset: number, size: number) => {
    const at = table + 64 * index;
    view.setUint32(at, name, true);
    view.setBigUint64(at + 0x18, BigInt(offset), true);
    view.setBigUint64(at + 0x20, BigInt(size), true);
  };
  section(1, 1, 64, content.length);
  section(2, 10, 64 + content.length, names.length);
  return bytes;
}

/** Bytes that hold a table of applets as busybox's program does. */
export function makeBusybox(extra: readonly string[] = []): Uint8Array<ArrayBuffer> {
  const needed =
    "[ [[ base64 busybox cat cttyhack findfs insmod mkfifo modprobe mount setsid sh switch_root tar udhcpc".split(" ");
  return encoder.encode(`\x7fELF rodata\0${[...needed, ...extra].join("\0")}\0\0more\0`);
}

const KERNEL = "6.12.9+deb13-riscv64";

/** Dependencies among the made-up modules, as the true ones have them. */
const depends: Readonly<Record<string, string[]>> = {
  ext4: ["jbd2", "mbcache", "crc16"],
  virtio_net: ["net_failover"],
  net_failover: ["failover"],
};

function modules(): { name: string; content: Uint8Array }[] {
  const names = new Set<string>([...deviceModules, ...fileSystemModules, ...systemModules]);
  for (const name of names) for (const needed of depends[name] ?? []) names.add(needed);
  return [...names].map((name) => ({
    name: `./usr/lib/modules/${KERNEL}/kernel/made/${name.replaceAll("_", "-")}.ko`,
    content: makeModule({ name: [name], depends: [(depends[name] ?? []).join(",")], alias: [`made:${name}`] }),
  }));
}

/** What the kernel's package is made of. */
export const kernelPackages: readonly MadePackage[] = [
  { name: "linux-image-riscv64", fields: [`Depends: linux-image-${KERNEL} (= 1)`] },
  {
    name: `linux-image-${KERNEL}`,
    files: [{ name: `./boot/vmlinux-${KERNEL}`, content: encoder.encode("MZ kernel") }, ...modules()],
  },
];

const required = (name: string, more: Partial<MadePackage> = {}): MadePackage => ({
  ...more,
  name,
  fields: ["Priority: required", "Essential: yes", ...(more.fields ?? [])],
});

const file = (name: string, text: string, mode = 0o644) => ({ name: `./${name}`, mode, content: encoder.encode(text) });
const tools = "usr/lib/riscv64-linux-gnu";

/** Everything the catalogue's images need. */
export const madeArchive: readonly MadePackage[] = [
  ...kernelPackages,
  {
    name: "busybox-static",
    version: "1:1.37",
    files: [{ name: "./usr/bin/busybox", mode: 0o755, content: makeBusybox() }],
  },
  required("base-files", {
    files: [
      { name: "./bin", type: "link", target: "usr/bin" },
      { name: "./tmp/", type: "directory", mode: 0o1777 },
      file("etc/host.conf", "multi on\n"),
    ],
    control: { conffiles: "/etc/host.conf\n", preinst: "#!/bin/sh\ntrue\n" },
  }),
  required("base-passwd", { control: { preinst: "#!/bin/sh\ntrue\n" } }),
  required("dpkg", { version: "1.22.22" }),
  required("libc6", {
    fields: ["Multi-Arch: same"],
    files: [file(`${tools}/libc.so.6`, "libc", 0o755), file(`${tools}/ld-linux-riscv64-lp64d.so.1`, "ld", 0o755)],
    control: { triggers: "interest-noawait ldconfig\ninterest /usr/lib/made\nactivate other\n" },
  }),
  {
    name: "e2fsprogs",
    fields: ["Depends: libext2fs2t64, libcom-err2, libblkid1, libuuid1"],
    files: [
      file("usr/sbin/mke2fs", "mke2fs", 0o755),
      file("usr/sbin/e2fsck", "e2fsck", 0o755),
      file("etc/mke2fs.conf", "[defaults]\n"),
    ],
  },
  ...["libext2fs2t64", "libcom-err2", "libblkid1", "libuuid1"].map((name) => ({ name })),
  ...[
    "apt",
    "dbus",
    "init",
    "iproute2",
    "iputils-ping",
    "kmod",
    "less",
    "netbase",
    "procps",
    "systemd-sysv",
    "udev",
  ].map((name) => ({ name, fields: ["Depends: libc6"] })),
  { name: "util-linux-extra" },
  { name: "gcc", fields: ["Depends: cpp (= 2)"], files: [file("usr/bin/gcc", "gcc", 0o755)] },
  { name: "cpp", version: "2" },
];

/** What `uname -r` would say of the made-up kernel. */
export const madeKernelRelease = KERNEL;
