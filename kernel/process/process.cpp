#include "process/process.h"

#include "base/print.h"
#include "process/kernel_stacks.h"
#include "process/scheduler.h"

namespace kernel {

constinit ProcessTable process_table;
constinit KernelStack kernel_stacks[kProcessesMax];

namespace {

uint64_t kernel_stack_top(Process const& process) {
    return reinterpret_cast<uint64_t>(&kernel_stacks[&process - process_table.slots] + 1);
}

char const* name_of(ProcessState state) {
    switch (state) {
        case ProcessState::unused:
            return "unused";
        case ProcessState::starting:
            return "starting";
        case ProcessState::runnable:
            return "runnable";
        case ProcessState::running:
            return "running";
        case ProcessState::sleeping:
            return "sleeping";
        case ProcessState::zombie:
            return "zombie";
    }
    return "damaged";
}

}  // namespace

Process* claim_slot() {
    SpinGuard guard(process_table.lock);
    for (Process& process : process_table.slots) {
        if (process.state != ProcessState::unused) continue;
        process.state = ProcessState::starting;
        process.pid = ++process_table.last_pid;
        process.context = Context{};
        process.context.ra = reinterpret_cast<uint64_t>(&process_begin);
        process.context.sp = kernel_stack_top(process);
        return &process;
    }
    return nullptr;
}

void release_slot(Process& process) {
    process.space = {};
    process.trapframe = nullptr;
    for (FileRef& file : process.files) file = {};
    process.current_directory = {};
    SpinGuard guard(process_table.lock);
    process.pid = 0;
    process.parent = nullptr;
    process.killed = false;
    process.exit_status = 0;
    process.state = ProcessState::unused;
}

void list_processes() {
    SpinGuard guard(process_table.lock);
    print("\n");
    for (Process const& process : process_table.slots)
        if (process.state != ProcessState::unused)
            print(process.pid, " ", name_of(process.state), " ", static_cast<char const*>(process.name), "\n");
}

bool is_killed(Process const& process) {
    SpinGuard guard(process_table.lock);
    return process.killed;
}

void mark_killed(Process& process) {
    SpinGuard guard(process_table.lock);
    process.killed = true;
}

}  // namespace kernel
