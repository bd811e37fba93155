#!/bin/sh
# The initramfs of an installed Debian: loads what the root disk needs, mounts it and hands over to its init.
PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
root=LABEL=bulkhead-root init=/sbin/init mode=rw
read -r arguments </proc/cmdline
for argument in $arguments; do
	case $argument in
	root=*) root=${argument#root=} ;;
	init=*) init=${argument#init=} ;;
	ro | rw) mode=$argument ;;
	esac
done
while read -r module; do insmod "/lib/modules/$module"; done </lib/modules/order

device() {
	case $root in
	LABEL=* | UUID=*) findfs "$root" ;;
	*) [ -b "$root" ] && echo "$root" ;;
	esac
}
tries=0
until disk=$(device 2>/dev/null) || [ "$tries" -ge 500 ]; do
	tries=$((tries + 1))
	sleep 0.01
done
if mount -t ext4 -o "$mode" "$disk" /root; then
	umount /proc /sys
	mount -o move /dev /root/dev
	exec switch_root /root "$init"
fi
echo "bulkhead: no root file system on $root; a shell follows, poweroff -f ends"
setsid cttyhack sh
poweroff -f
