# A serial line does not tell its size; the host says it on the kernel's command line.
if [ "$(tty)" = /dev/ttyS0 ]; then
	for argument in $(cat /proc/cmdline); do
		case $argument in
		bulkhead.size=*x*)
			size=${argument#bulkhead.size=}
			stty rows "${size%x*}" cols "${size#*x}" 2>/dev/null
			;;
		bulkhead.term=*) export TERM="${argument#bulkhead.term=}" ;;
		esac
	done
	unset argument size
fi
