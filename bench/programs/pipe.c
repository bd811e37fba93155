/* A hundred thousand round trips of one byte between two processes over pipes: system calls and context switches. */
#include "bench.h"
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  uint32_t trips = scaled(100e3, scale_of(argc, argv));
  int there[2], back[2];
  if (pipe(there) || pipe(back)) fail("pipe");
  pid_t child = fork();
  if (child < 0) fail("fork");
  uint8_t byte = 0;
  if (child == 0) {
    close(there[1]);
    while (read(there[0], &byte, 1) == 1) {
      byte = (uint8_t)(byte * 5 + 1);
      if (write(back[1], &byte, 1) != 1) _exit(1);
    }
    _exit(0);
  }
  uint64_t start = now_ns(), sum = SUM_START;
  for (uint32_t i = 0; i < trips; i++) {
    byte = (uint8_t)(byte + i);
    if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) fail("round trip");
    sum = mix_in(sum, byte);
  }
  report("pipe", sum, start);
  close(there[1]);
  int status;
  return waitpid(child, &status, 0) == child ? status : 1;
}
