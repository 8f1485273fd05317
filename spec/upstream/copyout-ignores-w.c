// Before 2023, copyout does not ask whether a page is writable: read() overwrites a program's own code.
//
// Copy to user/repro.c, add $U/_repro to UPROGS, make qemu, run repro. PASS where the kernel refuses.
#include "kernel/types.h"
#include "kernel/riscv.h"
#include "user/user.h"

// A page of code of its own. Kernels until 2021 map it writable as well: there the store below goes through, and nothing
// is wrong with the read.
void __attribute__((aligned(PGSIZE), noinline)) text(void) { asm volatile(".zero 4096"); }

// Whether the program itself may store to its code.
int may_store(void) {
  int status = 0;
  if (fork() == 0) {
    *(volatile char *)text = 0;
    exit(0);
  }
  wait(&status);
  return status == 0;
}

int main(void) {
  int ends[2], got;
  if (may_store()) {
    printf("cannot be shown: programs may store to their code\n");
    exit(0);
  }
  pipe(ends);
  write(ends[1], "x", 1);
  got = read(ends[0], (char *)text, 1);
  if (got == 1 && *(volatile char *)text == 'x')
    printf("FAIL: a read of 1 byte into code returns 1 and has changed it; a store is refused\n");
  else
    printf("PASS\n");  // -1, or 0 from kernels that count what they could copy
  exit(0);
}
