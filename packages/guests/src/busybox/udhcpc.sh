#!/bin/sh
# What udhcpc runs when it has got an address, or has lost it.
case $1 in
deconfig) ifconfig "$interface" up 0.0.0.0 ;;
bound | renew)
	ifconfig "$interface" "$ip" netmask "$subnet" mtu "${mtu:-1500}"
	for address in $router; do route add default gw "$address" dev "$interface" 2>/dev/null && break; done
	for address in $dns; do echo "nameserver $address"; done >"/run/dns.$interface"
	cat /run/dns.* >/etc/resolv.conf
	;;
esac
