/* Runs a command and reports a digest of what it prints on its standard output, and its time: timed NAME COMMAND ... */
#include "bench.h"
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int output[2];
  if (pipe(output)) fail("pipe");
  uint64_t start = now_ns(), sum = SUM_START;
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    dup2(output[1], 1);
    close(output[0]);
    close(output[1]);
    execvp(argv[2], argv + 2);
    _exit(127);
  }
  close(output[1]);
  static uint8_t buffer[1 << 16];
  ssize_t length;
  while ((length = read(output[0], buffer, sizeof buffer)) > 0)
    for (ssize_t i = 0; i < length; i++) sum = mix_in(sum, buffer[i]);
  int status;
  if (waitpid(child, &status, 0) != child) fail("waitpid");
  report(argv[1], sum, start);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
