#!/bin/sh
# Serves commands to the host once the system is up: the service of the same name. See serve.sh.
CONTROL_PORT=/dev/virtio-ports/bulkhead.control
STDIN_PORT=/dev/virtio-ports/bulkhead.stdin
STDOUT_PORT=/dev/virtio-ports/bulkhead.stdout
STDERR_PORT=/dev/virtio-ports/bulkhead.stderr
SERVE=/run/bulkhead
power_off() {
	systemctl --no-block poweroff
	exit
}
. /usr/local/lib/bulkhead/serve.sh

systemctl is-system-running --wait >/dev/null
serve
