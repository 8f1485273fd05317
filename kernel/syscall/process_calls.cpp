// System calls about processes and memory.

#include "devices/timer.h"
#include "process/exec.h"
#include "process/lifecycle.h"
#include "syscall/numbers.h"
#include "syscall/syscall.h"

namespace kernel {
namespace {

// Collects the strings that the user's null-terminated array `argv` points to. False when there are too many, or they
// cannot be read.
bool collect_arguments(AddressSpace& space, VirtAddr argv, ArgumentPage& arguments) {
    for (;; argv += sizeof(VirtAddr)) {
        VirtAddr argument;
        if (space.copy_in(&argument, argv, sizeof argument) != sizeof argument) return false;
        if (!argument) return true;
        if (!arguments.add_from_user(space, argument)) return false;
    }
}

// How a heap grows by a call of sbrk with this second argument, which counts only where the kernel is built so.
Growth growth_for(int mode) {
    if (kSbrkPolicy == SbrkPolicy::by_argument) return mode == kSbrkEager ? Growth::mapped : Growth::reserved;
    return kSbrkPolicy == SbrkPolicy::eager ? Growth::mapped : Growth::reserved;
}

}  // namespace

int64_t call_fork(Process&, Arguments) {
    return fork_process();
}

int64_t call_exit(Process&, Arguments arguments) {
    exit_process(arguments.integer(0));
}

int64_t call_wait(Process&, Arguments arguments) {
    return wait_for_child(arguments.address(0));
}

int64_t call_kill(Process&, Arguments arguments) {
    return kill_process(arguments.integer(0));
}

int64_t call_exec(Process& self, Arguments arguments) {
    char path[kPathBytesMax];
    if (!self.space.copy_in_string(path, arguments.address(0), sizeof path)) return -1;
    ArgumentPage page;
    if (!page.begin() || !collect_arguments(self.space, arguments.address(1), page)) return -1;
    return exec_program(path, page);
}

int64_t call_getpid(Process& self, Arguments) {
    return self.pid;
}

int64_t call_sbrk(Process& self, Arguments arguments) {
    VirtAddr const old_break = self.space.program_break();
    if (!self.space.move_break(arguments.integer(0), growth_for(arguments.integer(1)))) return -1;
    return static_cast<int64_t>(old_break.value);
}

int64_t call_sleep(Process&, Arguments arguments) {
    int const ticks = arguments.integer(0);
    return sleep_ticks(ticks < 0 ? 0 : static_cast<uint32_t>(ticks)) ? 0 : -1;
}

int64_t call_uptime(Process&, Arguments) {
    return uptime();
}

}  // namespace kernel
