#!/bin/sh
# Serves commands to the host once the system is up: the service of the same name. See serve.sh.
CONTROL_PORT=/dev/virtio-ports/bulkhead.control
STDIN_PORT=/dev/virtio-ports/bulkhead.stdin
STDOUT_PORT=/dev/virtio-ports/bulkhead.stdout
STDERR_PORT=/dev/virtio-ports/bulkhead.stderr
SERVE=/run/bulkhead
power_off() {
	# Straight to systemd: "systemctl poweroff" would start the login manager to ask it.
	systemctl --no-block --job-mode=replace-irreversibly start poweroff.target
	exit
}
set_clock() { date -s "@$1" >/dev/null; }
. /usr/local/lib/bulkhead/serve.sh

# What systemd tells its services is not for the command.
unset INVOCATION_ID JOURNAL_STREAM MEMORY_PRESSURE_WATCH MEMORY_PRESSURE_WRITE SYSTEMD_EXEC_PID
systemctl is-system-running --wait >/dev/null
# A command expects the network to be there, as far as there is one.
for device in /sys/class/net/e*; do
	[ -e "$device" ] || continue
	/usr/lib/systemd/systemd-networkd-wait-online --any --ipv4 --timeout=10 >/dev/null 2>&1
	/usr/local/lib/bulkhead/dns
	break
done
serve
# Only reached when the host wants a shell.
touch /run/bulkhead-shell
exec systemctl start serial-getty@ttyS0.service
