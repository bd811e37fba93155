/**
 * What a guest that goes on from a snapshot has to be told before anything else runs: the time, and who it is now. A text for its
 * shell. Its random numbers are fresh already: the machine has given it another generation id.
 */

/** @param unixMs the time now. */
export function refreshText(unixMs: number): string {
  const seconds = (unixMs / 1000).toFixed(3);
  return [
    // GNU date takes fractions of a second, BusyBox's does not.
    `date -s @${seconds} >/dev/null 2>&1 || date -s @${Math.round(unixMs / 1000)} >/dev/null 2>&1`,
    // No program is started for it. A machine without systemd has no such file.
    "if [ -s /etc/machine-id ]; then read -r id </proc/sys/kernel/random/uuid; IFS=-; set -- $id; " +
      'printf "%s%s%s%s%s\\n" "$@" >/etc/machine-id; set --; unset IFS id; fi',
  ].join("\n");
}
