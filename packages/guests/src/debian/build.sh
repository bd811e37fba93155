#!/bin/sh
# The first process of the guest that builds Debian's root file system on /dev/vda out of the tar archive on /dev/vdb.
# The host reads the lines that start with "bulkhead-build:" and dpkg's own.
PATH=/bin
export PATH
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts

say() { echo "bulkhead-build: $*"; }
fail() {
	say "failed: $*"
	sync
	poweroff -f
}

while read -r module; do insmod "/lib/modules/$module"; done </lib/modules/order
[ -b /dev/vda ] && [ -b /dev/vdb ] || fail "the disks are missing"

say "step format"
/sbin/mke2fs -q -F -t ext4 -m 1 -L bulkhead-root -E assume_storage_prezeroed=1 /dev/vda || fail "mke2fs"
# The disk counts only once it is complete: until then nothing has to reach it in order.
mount -t ext4 -o barrier=0,data=writeback,noatime /dev/vda /mnt || fail "cannot mount the new file system"

say "step unpack"
while sleep 1; do read -r _ _ sectors _ </sys/block/vdb/stat && say "sectors $sectors"; done &
meter=$!
tar -xf /dev/vdb -C /mnt || fail "cannot unpack: $(df -h /mnt | tail -n 1)"
kill "$meter"

in_root() {
	chroot /mnt /usr/bin/env -i \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true SYSTEMD_OFFLINE=1 "$@"
}
for name in dev proc sys; do mount -o bind "/$name" "/mnt/$name"; done
mount -o bind /dev/pts /mnt/dev/pts
mount -t tmpfs tmpfs /mnt/run
printf '#!/bin/sh\nexit 101\n' >/mnt/usr/sbin/policy-rc.d
chmod 755 /mnt/usr/sbin/policy-rc.d
echo debian >/proc/sys/kernel/hostname
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd

say "step configure"
# What dpkg would have run before it unpacked each package. The first one writes /etc/passwd.
while read -r package file; do
	in_root DPKG_MAINTSCRIPT_PACKAGE="$package" DPKG_MAINTSCRIPT_NAME=preinst DPKG_MAINTSCRIPT_ARCH=riscv64 \
		DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1 DPKG_RUNNING_VERSION="$(cat /lib/bulkhead/dpkg-version)" DPKG_ADMINDIR=/var/lib/dpkg DPKG_ROOT= \
		"/var/lib/dpkg/info/$file.preinst" install </dev/null || fail "preinst of $package"
done </lib/bulkhead/preinst
in_root dpkg --force-unsafe-io --configure -a </dev/null || fail "dpkg --configure"

if [ -d /mnt/var/cache/bulkhead ]; then
	say "step install"
	for batch in /mnt/var/cache/bulkhead/*; do
		in_root sh -c 'exec dpkg --force-unsafe-io --no-triggers --unpack "$1"/*.deb' sh "${batch#/mnt}" </dev/null ||
			fail "dpkg --unpack"
		# What only later batches complete stays unconfigured for now.
		in_root dpkg --no-triggers --configure -a </dev/null
		rm -rf "$batch"
	done
	in_root dpkg --force-unsafe-io --configure -a </dev/null || fail "dpkg --configure"
	rm -rf /mnt/var/cache/bulkhead
fi

say "step finish"
[ -z "$(in_root dpkg --audit)" ] || fail "dpkg --audit is not empty"
in_root passwd -q -d root || fail "passwd"
# Only now: a masked unit is an error to the packages' scripts.
while read -r unit; do ln -sf /dev/null "/mnt/etc/systemd/system/$unit"; done </lib/bulkhead/masked
read -r release </lib/bulkhead/kernel-release
in_root depmod "$release" || fail "depmod"
rm -f /mnt/usr/sbin/policy-rc.d /mnt/var/lib/dbus/machine-id /mnt/etc/.pwd.lock
rm -f /mnt/var/lib/dpkg/*-old /mnt/var/cache/debconf/*-old /mnt/etc/passwd- /mnt/etc/shadow- /mnt/etc/group- /mnt/etc/gshadow-
find /mnt/var/log -type f -exec rm -f {} +
rm -rf /mnt/tmp/* /mnt/var/tmp/*
# Empty, not absent: each boot gets an identity of its own without being taken for a first boot.
: >/mnt/etc/machine-id
touch /mnt/etc/.updated /mnt/var/.updated
umount /mnt/run /mnt/dev/pts /mnt/dev /mnt/proc /mnt/sys || fail "a process is left"
fstrim /mnt 2>/dev/null
umount /mnt || fail "cannot unmount"
/sbin/e2fsck -fn /dev/vda || fail "e2fsck"
say "done"
sync
poweroff -f
