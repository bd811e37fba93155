#!/bin/sh
# The first process of the busybox image: mounts, modules, then a command for the host or a shell on the console.
export PATH=/bin HOME=/root USER=root LOGNAME=root SHELL=/bin/sh LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
hostname busybox
ifconfig lo 127.0.0.1

modprobe virtio_mmio
wanted=
for file in /sys/bus/virtio/devices/*/modalias; do
	read -r alias <"$file" || continue
	# The console (3) is built into the kernel.
	case $alias in virtio:d00000003*) ;; *) wanted="$wanted $alias" ;; esac
done 2>/dev/null
[ -z "$wanted" ] || modprobe -qa $wanted

# In the background, so that a console need not wait for an address.
for device in /sys/class/net/e*; do
	[ -e "$device" ] || continue
	ifconfig "${device##*/}" up
	udhcpc -i "${device##*/}" -n -q -t 4 -T 1 -s /lib/bulkhead/udhcpc >/dev/null 2>&1 &
done

read -r arguments </proc/cmdline

# Folders of the host, as systemd takes them too: TAG:PATH:TYPE:OPTIONS, with escapes in the path.
mount_share() {
	path=$(printf %b "$2")
	mkdir -p "$path"
	mount -t "$3" -o "rw${4#nofail}" "$1" "$path"
}
for argument in $arguments; do
	case $argument in
	systemd.mount-extra=*)
		IFS=:
		set -f
		mount_share ${argument#*=}
		set +f
		unset IFS
		;;
	esac
done

SERVE=/run/bulkhead
# By its path: the shell would prefer the applet, which signals this process and returns.
power_off() { /bin/poweroff; }
# Whole seconds are all that it takes.
set_clock() { date -s "@${1%.*}" >/dev/null; }
trap power_off USR1 USR2
trap /bin/reboot TERM
. /lib/bulkhead/serve.sh

find_ports() {
	CONTROL_PORT= STDIN_PORT= STDOUT_PORT= STDERR_PORT=
	for file in /sys/class/virtio-ports/*/name; do
		read -r name <"$file" || continue
		port=${file%/name}
		port=/dev/${port##*/}
		case $name in
		bulkhead.control) CONTROL_PORT=$port ;;
		bulkhead.stdin) STDIN_PORT=$port ;;
		bulkhead.stdout) STDOUT_PORT=$port ;;
		bulkhead.stderr) STDERR_PORT=$port ;;
		esac
	done 2>/dev/null
	[ -n "$CONTROL_PORT" ] && [ -n "$STDIN_PORT" ] && [ -n "$STDOUT_PORT" ] && [ -n "$STDERR_PORT" ]
}

case " $arguments " in
*" bulkhead.console "*) ;;
*)
	# The host names its ports a moment after the device appears.
	tries=0
	until found=$(find_ports && echo yes) && [ -n "$found" ] || [ "$tries" -ge 100 ]; do
		tries=$((tries + 1))
		sleep 0.01
	done
	# A command expects the network to be there.
	wait
	cd /root
	find_ports && serve
	;;
esac

cd /root
setsid cttyhack sh -l
power_off
