# Runs commands for the host, one line each: "ID COMMAND". Plain POSIX sh on the guest's serial console, started by
# init.sh in the busybox guest and by the root shell in Debian. Lines with @bench are for the host.
stty raw -echo 2>/dev/null
printf '@bench ready\n# '
while read -r id command; do
	printf '@bench start %s\n' "$id"
	(eval "$command") </dev/null 2>&1
	printf '@bench end %s %s\n# ' "$id" "$?"
done
