# Runs one command after another for the host: the guest's end of the control protocol (docs/specification.md,
# "Commands"). Sourced by the init of the busybox image and by Debian's bulkhead-agent; plain POSIX sh.
# The sourcing script defines power_off, and SERVE names a directory for the pipes.

# The command gets pipes, not the ports: a port can be opened only once, so /dev/stdout would not work.
run_command() {
	rm -rf "$SERVE" && mkdir -p "$SERVE" && mkfifo "$SERVE/in" "$SERVE/out" "$SERVE/err"
	text=$(printf %s "$1" | base64 -d)
	cat "$SERVE/out" >"$STDOUT_PORT" &
	out=$!
	cat "$SERVE/err" >"$STDERR_PORT" &
	err=$!
	cat <"$STDIN_PORT" >"$SERVE/in" &
	in=$!
	relay_signals &
	relay=$!
	# In the foreground: a shell without job control makes background commands deaf to INT and QUIT.
	# In a session of its own: signals go to the whole process group. It opens its pipes itself: this shell's own
	# remark on how a command ended is not part of the command's output.
	setsid sh -c 'exec <"$2/in" >"$2/out" 2>"$2/err"; echo $$ >"$2/pid"; exec sh -c "$1"' sh "$text" "$SERVE" \
		2>/dev/null 3<&-
	code=$?
	{
		kill "$relay" "$in"
		read -r group <"$SERVE/pid" && kill -KILL -- "-$group"
		# What a daemon left behind still holds the pipes; what was written so far goes out.
		(sleep 1 && kill "$out" "$err") &
		late=$!
		wait "$relay" "$in" "$out" "$err"
		kill "$late"
	} 2>/dev/null
	echo "exit $code" >&3
}

# While a command runs, the host may send signals to it or switch the machine off.
relay_signals() {
	while read -r verb name; do
		case $verb in
		signal)
			until [ -s "$SERVE/pid" ]; do sleep 0.01; done
			read -r group <"$SERVE/pid"
			kill -s "$name" -- "-$group" 2>/dev/null
			;;
		poweroff) power_off ;;
		esac
	done <&3
	power_off
}

# Serves the host on the control port until it asks for a shell or goes away.
serve() {
	exec 3<>"$CONTROL_PORT"
	echo ready >&3
	while read -r verb rest <&3; do
		case $verb in
		run) run_command "$rest" ;;
		shell)
			exec 3<&-
			return
			;;
		poweroff) break ;;
		esac
	done
	power_off
}
