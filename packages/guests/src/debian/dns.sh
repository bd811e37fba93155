#!/bin/sh
# Writes the name servers that networkd was told of where programs look for them, unless somebody has written others.
mark="# Written by bulkhead-dns.service; remove this line to keep your own."
servers=$(sed -n 's/^DNS=//p' /run/systemd/netif/state 2>/dev/null)
[ -n "$servers" ] || exit 0
[ ! -s /etc/resolv.conf ] || [ "$(head -n 1 /etc/resolv.conf)" = "$mark" ] || exit 0
{
	echo "$mark"
	for server in $servers; do echo "nameserver $server"; done
} >/run/resolv.conf
cmp -s /run/resolv.conf /etc/resolv.conf || cp /run/resolv.conf /etc/resolv.conf
