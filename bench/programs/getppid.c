/* A million calls of the cheapest system call: trap, kernel entry and return. */
#include "bench.h"
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
  uint32_t calls = scaled(1e6, scale_of(argc, argv)), wrong = 0;
  long parent = syscall(SYS_getppid);
  uint64_t start = now_ns();
  for (uint32_t i = 0; i < calls; i++) wrong += syscall(SYS_getppid) != parent;
  return report("getppid", mix_in(calls, wrong), start);
}
