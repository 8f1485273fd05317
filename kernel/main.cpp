// Where supervisor mode begins: hart 0 sets everything up, in order, and lets the first process run; the others wait
// for it and join in.

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
namespace {

constinit bool ready = false;  // all that the harts share is set up

void set_up_what_harts_share() {
    initialize_uart();
    print("vmcheck kernel: fork ", kForkPolicy == ForkPolicy::copy_on_write ? "copy-on-write" : "eager", ", sbrk ",
          kSbrkPolicy == SbrkPolicy::lazy    ? "lazy"
          : kSbrkPolicy == SbrkPolicy::eager ? "eager"
                                             : "by argument",
          "\n");
    initialize_frames();
    initialize_kernel_table();
    initialize_disk();
    create_init();
}

void set_up_this_hart() {
    enter_kernel_table();
    initialize_traps();
    initialize_plic();
    initialize_timer();
}

}  // namespace

// Entered from start_machine.cpp by every hart, on its boot stack, which becomes that of its idle thread.
[[noreturn]] void kernel_main() {
    if (hart_number() == 0) {
        set_up_what_harts_share();
        __atomic_store_n(&ready, true, __ATOMIC_RELEASE);
    } else {
        while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE)) continue;
    }
    set_up_this_hart();
    idle();
}

}  // namespace kernel
