#!/bin/sh
# The first process of the busybox guest that runs programs for the host.
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmpfs /tmp
# The console as a real terminal: /dev/console has no settings of its own.
exec </dev/ttyS0 >/dev/ttyS0 2>&1
cd /bench
. /bench/agent.sh
poweroff -f
