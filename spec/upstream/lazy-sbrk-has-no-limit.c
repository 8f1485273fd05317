// 2025: lazy sbrk lets the break pass the trapframe, and even the end of the address space: the program's end then panics.
//
// Copy to user/repro.c, add $U/_repro to UPROGS, make qemu, run repro. PASS where the kernel refuses.
#include "kernel/types.h"
#include "kernel/riscv.h"
#include "kernel/memlayout.h"
#include "user/user.h"

int main(void) {
  int calls;
  // As much as an int can say, until it is refused; 129 of these are more than the address space has.
  for (calls = 0; calls < 130; calls++)
    if (sbrklazy(0x7ffff000) == (char *)-1)
      break;
  uint64 end = (uint64)sbrklazy(0);
  if (end > TRAPFRAME)
    printf("FAIL: after %d calls the break is at %p; the trapframe is at %p\n", calls, (void *)end, (void *)TRAPFRAME);
  else
    printf("PASS\n");
  exit(0);  // where it says FAIL, the kernel panics
}
