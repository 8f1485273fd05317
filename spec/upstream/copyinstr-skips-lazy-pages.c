// 2025: copyinstr does not bring in pages that lazy sbrk has promised: open() fails where read() and write() do not.
//
// Copy to user/repro.c, add $U/_repro to UPROGS, make qemu, run repro. PASS where the kernel brings the page in.
#include "kernel/types.h"
#include "kernel/riscv.h"
#include "user/user.h"

int main(void) {
  // Two pages, neither touched. Each reads as zeros, so that as a path it is the empty one.
  char *heap = sbrklazy(2*PGSIZE);
  int ends[2], written, before, after;
  pipe(ends);
  written = write(ends[1], heap, 1);            // copyin brings the page in
  before = open(heap + PGSIZE, 0);              // copyinstr must as well
  if (*(volatile char *)(heap + PGSIZE) != 0) printf("FAIL: an untouched page is not zero\n");
  after = open(heap + PGSIZE, 0);               // now that the page is there
  if (written != 1 || after < 0)
    printf("cannot be shown: write gives %d, open of a touched page %d\n", written, after);
  else if (before >= 0)
    printf("PASS\n");
  else
    printf("FAIL: open of a path in an untouched page gives %d, and after a touch %d\n", before, after);
  exit(0);
}
