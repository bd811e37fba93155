// What makes a Debian root file system into our image: files laid over the packages' own.
// Called by debian/payload.ts. Units are masked only where they cannot work in a guest or delay it for nothing.
import { readScript, serveScript } from "../scripts/read-script.ts";

/** The label of the root file system: how the initramfs and fstab find it. */
export const ROOT_LABEL = "bulkhead-root";

/** A file, or a link where `target` is given; relative to the root. */
export interface Setting {
  name: string;
  content?: string | Uint8Array;
  target?: string;
  mode?: number;
}

/** Units without use in a guest of ours, with the reason: each costs a boot some hundred million instructions or asks. */
export const maskedUnits: Readonly<Record<string, string>> = {
  "getty@tty1.service": "there is no screen",
  "serial-getty@hvc0.service": "the console is ttyS0",
  "systemd-firstboot.service": "it asks questions",
  "systemd-hwdb-update.service": "packages bring the database up to date",
  "systemd-pcrphase.service": "there is no TPM",
  "systemd-udev-load-credentials.service": "there are no credentials",
  "apt-daily.timer": "an image is rebuilt, not upgraded behind its user's back",
  "apt-daily-upgrade.timer": "likewise",
  "dpkg-db-backup.timer": "the image can be rebuilt",
  "e2scrub_all.timer": "there is no LVM",
  "e2scrub_reap.service": "there is no LVM",
  "fstrim.timer": "guests are short-lived",
  "dev-hugepages.mount": "mounted when wanted",
  "sys-kernel-config.mount": "likewise",
  "sys-kernel-debug.mount": "likewise",
  "sys-kernel-tracing.mount": "likewise",
  "sys-fs-fuse-connections.mount": "likewise",
  "modprobe@configfs.service": "only for the mounts above",
  "modprobe@fuse.service": "FUSE is built into the kernel",
  "modprobe@drm.service": "there is no screen",
  "modprobe@efi_pstore.service": "there is no EFI",
};

/** Programs that look for what a guest of ours does not have, at each boot. */
export const maskedGenerators: readonly string[] = [
  "systemd-gpt-auto-generator",
  "systemd-hibernate-resume-generator",
  "systemd-ssh-generator",
  "systemd-system-update-generator",
  "systemd-tpm2-generator",
];

/** The image's settings for a mirror that apt inside the guest shall use. */
export async function settings(mirror: string): Promise<Setting[]> {
  const masks = maskedGenerators.map((name) => ({
    name: `etc/systemd/system-generators/${name}`,
    target: "/dev/null",
  }));
  const script = (name: string) => readScript(new URL(name, import.meta.url));
  return [
    { name: "etc/fstab", content: `LABEL=${ROOT_LABEL} / ext4 errors=remount-ro 0 0\n` },
    { name: "etc/hostname", content: "debian\n" },
    { name: "etc/hosts", content: "127.0.0.1 localhost\n127.0.1.1 debian\n::1 localhost ip6-localhost ip6-loopback\n" },
    { name: "etc/locale.conf", content: "LANG=C.UTF-8\n" },
    { name: "etc/default/locale", target: "../locale.conf" },
    {
      name: "etc/apt/sources.list.d/debian.sources",
      content: [
        "Types: deb",
        `URIs: ${mirror}`,
        "Suites: trixie",
        "Components: main",
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.pgp",
        "",
      ].join("\n"),
    },
    { name: "etc/systemd/system/serial-getty@ttyS0.service.d/bulkhead.conf", content: await script("autologin.conf") },
    { name: "etc/systemd/system.conf.d/bulkhead.conf", content: "[Manager]\nDefaultTimeoutStopSec=15s\n" },
    { name: "etc/systemd/journald.conf.d/bulkhead.conf", content: "[Journal]\nStorage=volatile\n" },
    // The login manager starts when something asks for it, not at each boot.
    { name: "etc/systemd/system/multi-user.target.wants/systemd-logind.service", target: "/dev/null" },
    { name: "etc/systemd/system/default.target", target: "/usr/lib/systemd/system/multi-user.target" },
    { name: "etc/systemd/system/systemd-udev-trigger.service.d/bulkhead.conf", content: await script("coldplug.conf") },
    { name: "etc/systemd/system/bulkhead-agent.service", content: await script("bulkhead-agent.service") },
    { name: "etc/udev/rules.d/60-bulkhead.rules", content: await script("bulkhead.rules") },
    { name: "etc/systemd/network/80-bulkhead.network", content: await script("bulkhead.network") },
    { name: "etc/systemd/system/bulkhead-dns.path", content: await script("bulkhead-dns.path") },
    { name: "etc/systemd/system/bulkhead-dns.service", content: await script("bulkhead-dns.service") },
    { name: "usr/local/lib/bulkhead/dns", content: await script("dns.sh"), mode: 0o755 },
    { name: "etc/profile.d/bulkhead.sh", content: await script("console-size.sh") },
    { name: "usr/local/lib/bulkhead/serve.sh", content: await serveScript() },
    { name: "usr/local/lib/bulkhead/agent", content: await script("agent.sh"), mode: 0o755 },
    ...masks,
  ];
}
