# Runs one command after another for the host: the guest's end of the control protocol (docs/specification.md,
# "Commands"). Sourced by the init of the busybox image and by Debian's bulkhead-agent; plain POSIX sh.
# The sourcing script defines power_off and set_clock, and SERVE names a directory for the pipes.
#
# Everything that a command needs is started before it comes: a machine that goes on from a snapshot has it running already.
# What is left to do then starts no further program.

# Hands over what the host says: commands to the process that waits for one, signals to the one that runs.
listen() {
	while read -r verb rest; do
		case $verb in
		run | exec) printf '%s\n' "$verb $rest" >&4 ;;
		resume) resume "$rest" ;;
		signal)
			until [ -s "$SERVE/pid" ]; do sleep 0.01; done
			read -r group <"$SERVE/pid"
			kill -s "$rest" -- "-$group" 2>/dev/null
			;;
		shell)
			printf 'shell\n' >&4
			exit
			;;
		poweroff) break ;;
		esac
	done <&3
	power_off
}

# The machine goes on from a snapshot, as another one, and time has passed.
resume() {
	set_clock "$1"
	[ -s /etc/machine-id ] || return
	read -r id </proc/sys/kernel/random/uuid
	IFS=-
	set -- $id
	unset IFS
	printf '%s%s%s%s%s\n' "$@" >/etc/machine-id
}

# Waits for a command and becomes it. It opens its pipes itself: the shell's own remark on how a command ended is not part
# of the command's output.
AWAIT='
	exec <"$1/in" >"$1/out" 2>"$1/err"
	[ -z "$2" ] || echo "$2" >&3
	exec 3<&-
	read -r verb text <&4
	exec 4<&-
	[ "$verb" != run ] || text=$(printf %s "$text" | base64 -d)
	[ "$verb" != shell ] || : >"$1/shell"
	[ "$verb" != shell ] || exit
	echo $$ >"$1/pid"
	unset verb
	eval "set --
unset text
$text"'

# Starts what surrounds the next command, runs it, and says how it ended. It gets pipes, not the ports: a port can be
# opened only once, so /dev/stdout would not work.
run_next() {
	: >"$SERVE/pid"
	cat "$SERVE/out" >"$STDOUT_PORT" 3<&- 4<&- &
	out=$!
	cat "$SERVE/err" >"$STDERR_PORT" 3<&- 4<&- &
	err=$!
	cat <"$STDIN_PORT" >"$SERVE/in" 3<&- 4<&- &
	in=$!
	# What a daemon left behind still holds the pipes; what was written so far goes out.
	{ read -r _ <"$SERVE/late" && sleep 1 && kill "$out" "$err"; } 2>/dev/null 3<&- 4<&- &
	late=$!
	# In the foreground: a shell without job control makes background commands deaf to INT and QUIT.
	# In a session of its own: signals go to the whole process group.
	setsid sh -c "$AWAIT" sh "$SERVE" "$1" 2>/dev/null
	code=$?
	{
		kill "$in"
		read -r group <"$SERVE/pid" && kill -KILL -- "-$group"
		echo >"$SERVE/late"
		[ -e "$SERVE/shell" ] || wait "$in" "$out" "$err"
		kill "$late"
	} 2>/dev/null
}

# Serves the host on the control port until it asks for a shell or goes away.
serve() {
	exec 3<>"$CONTROL_PORT"
	rm -rf "$SERVE" && mkdir -p "$SERVE"
	mkfifo "$SERVE/in" "$SERVE/out" "$SERVE/err" "$SERVE/late" "$SERVE/go"
	exec 4<>"$SERVE/go"
	listen &
	run_next ready
	until [ -e "$SERVE/shell" ]; do
		echo "exit $code" >&3
		run_next ""
	done
	exec 3<&- 4<&-
}
