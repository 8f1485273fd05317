#include "base/panic.h"

#include "base/print.h"
#include "riscv/csr.h"

extern "C" [[noreturn, gnu::noipa]] void panic(char const* message) {
    kernel::disable_interrupts();
    kernel::print("panic: ", message, "\n");
    for (;;) kernel::wait_for_interrupt();
}
