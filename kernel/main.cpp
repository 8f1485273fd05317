// Where supervisor mode begins: sets everything up, in order, and lets the first process run.

#include "base/print.h"
#include "devices/plic.h"
#include "devices/timer.h"
#include "devices/uart.h"
#include "devices/virtio_disk.h"
#include "memory/frames.h"
#include "memory/kernel_table.h"
#include "process/lifecycle.h"
#include "process/scheduler.h"
#include "trap/trap.h"

namespace kernel {

// Entered from start_machine.cpp, on the boot stack, which becomes that of the idle thread.
[[noreturn]] void kernel_main() {
    initialize_uart();
    print("vmcheck kernel: fork ", kForkPolicy == ForkPolicy::copy_on_write ? "copy-on-write" : "eager", ", sbrk ",
          kSbrkPolicy == SbrkPolicy::lazy ? "lazy" : "eager", "\n");
    initialize_frames();
    initialize_kernel_table();
    enter_kernel_table();
    initialize_traps();
    initialize_plic();
    initialize_timer();
    initialize_disk();
    create_init();
    idle();
}

}  // namespace kernel
