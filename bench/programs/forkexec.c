/* Starts this program anew five hundred times: fork, exec, page tables, exit. */
#include "bench.h"
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc > 2 && strcmp(argv[2], "child") == 0) return atoi(argv[1]) & 0x7f;
  uint32_t children = scaled(500, scale_of(argc, argv));
  uint64_t start = now_ns(), sum = SUM_START;
  for (uint32_t i = 0; i < children; i++) {
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
      char number[16];
      snprintf(number, sizeof number, "%u", i);
      execl("/proc/self/exe", argv[0], number, "child", (char *)NULL);
      _exit(127);
    }
    int status;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) fail("waitpid");
    sum = mix_in(sum, (uint64_t)WEXITSTATUS(status));
  }
  return report("forkexec", sum, start);
}
