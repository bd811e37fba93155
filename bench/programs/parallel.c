/* A parallel job: several processes at once run one command, and the last to end ends it: parallel JOBS COMMAND ... */
#include "bench.h"
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int jobs = atoi(argv[1]), failed = 0;
  uint64_t start = now_ns();
  for (int i = 0; i < jobs; i++) {
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
      dup2(open("/dev/null", O_WRONLY), 1);
      execvp(argv[2], argv + 2);
      _exit(127);
    }
  }
  for (int i = 0; i < jobs; i++) {
    int status;
    if (wait(&status) < 0 || status != 0) failed++;
  }
  return report("parallel", mix_in((uint64_t)jobs, (uint64_t)failed), start);
}
