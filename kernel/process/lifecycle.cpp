#include "process/lifecycle.h"

#include "base/memory.h"
#include "base/panic.h"
#include "files/inode.h"
#include "memory/user_rights.h"
#include "process/exec.h"
#include "process/scheduler.h"

extern "C" {
extern char first_program_start[];
extern char first_program_end[];
}

namespace kernel {
namespace {

// Gives `child` all that makes it a copy of `parent`. False when memory is exhausted.
bool copy_process(Process& child, Process& parent) {
    FrameRef trapframe = FrameRef::allocate();
    if (!trapframe) return false;
    child.trapframe = pointer_to<Trapframe>(trapframe.address());
    *child.trapframe = *parent.trapframe;
    child.trapframe->a[0] = 0;
    child.space = parent.space.fork(move(trapframe));
    if (!child.space) return false;
    for (size_t i = 0; i < kFilesPerProcessMax; i++) child.files[i] = parent.files[i].share();
    child.current_directory = parent.current_directory.share();
    memcpy(child.name, parent.name, sizeof child.name);
    return true;
}

void start(Process& child, Process* parent) {
    SpinGuard guard(process_table.lock);
    child.parent = parent;
    child.state = ProcessState::runnable;
}

// Sleeps until a child of `self` is a zombie, and returns it; null when there is no child, or `self` was killed.
Process* wait_for_zombie(Process& self) {
    SpinGuard guard(process_table.lock);
    for (;;) {
        bool has_child = false;
        for (Process& child : process_table.slots) {
            if (child.parent != &self) continue;
            if (child.state == ProcessState::zombie) return &child;
            has_child = true;
        }
        if (!has_child || self.killed) return nullptr;
        sleep_on(&self, process_table.lock);
    }
}

// Stores the exit status of a zombie child. When that fails, memory may be what is missing, to copy a page that is
// shared; the child has some that nobody will use again.
bool store_status(Process& self, Process& child, VirtAddr address) {
    int const status = child.exit_status;
    if (self.space.copy_out(address, &status, sizeof status) == sizeof status) return true;
    child.space = {};
    child.trapframe = nullptr;
    return self.space.copy_out(address, &status, sizeof status) == sizeof status;
}

// REQUIRES: the process table is locked.
void give_children_to_init(Process const& self) {
    for (Process& child : process_table.slots) {
        if (child.parent != &self) continue;
        child.parent = process_table.init;
        wake_all_locked(process_table.init);  // it may be a zombie already
    }
}

}  // namespace

// What a process that is to execute /init by itself begins with: one page, which is code, data and stack.
bool load_first_program(Process& init) {
    FrameRef page = FrameRef::allocate_zeroed();
    if (!page) return false;
    memcpy(page.bytes(), first_program_start, static_cast<size_t>(first_program_end - first_program_start));
    init.trapframe->program_counter = 0;
    init.trapframe->sp = kPageBytes;
    return init.space.add_image_page(VirtAddr{0}, move(page), user_rights(kReadable | kWritable | kExecutable));
}

void create_init() {
    Process* const init = claim_slot();
    FrameRef trapframe = FrameRef::allocate_zeroed();
    if (init == nullptr || !trapframe) panic("init: out of memory");
    init->trapframe = pointer_to<Trapframe>(trapframe.address());
    init->space = AddressSpace::create(move(trapframe));
    if (!init->space) panic("init: out of memory");
    if (kFirstProcess == FirstProcess::small_program && !load_first_program(*init)) panic("init: out of memory");
    init->current_directory = InodeRef::hold(kRootInode);
    process_table.init = init;
    start(*init, nullptr);
}

void run_init() {
    mount_file_system();
    if constexpr (kFirstProcess == FirstProcess::small_program) return;
    ArgumentPage arguments;
    if (!arguments.begin() || !arguments.add("/init")) panic("init: out of memory");
    if (exec_program("/init", arguments) < 0) panic("init: /init cannot be executed");
}

int fork_process() {
    Process* const child = claim_slot();
    if (child == nullptr) return -1;
    if (!copy_process(*child, current_process())) {
        release_slot(*child);
        return -1;
    }
    int const pid = child->pid;  // read now: once started, the child may end
    start(*child, &current_process());
    return pid;
}

void exit_process(int status) {
    Process& self = current_process();
    if (&self == process_table.init) panic("init exiting");
    for (FileRef& file : self.files) file = {};
    self.current_directory = {};

    disable_interrupts();
    process_table.lock.acquire();
    give_children_to_init(self);
    wake_all_locked(self.parent);
    self.exit_status = status;
    self.state = ProcessState::zombie;
    switch_away();
    panic("exit: a zombie runs");
}

int wait_for_child(VirtAddr status_address) {
    Process& self = current_process();
    Process* const child = wait_for_zombie(self);
    if (child == nullptr) return -1;
    int const pid = child->pid;
    if (status_address && !store_status(self, *child, status_address)) return -1;
    release_slot(*child);
    return pid;
}

int kill_process(int pid) {
    SpinGuard guard(process_table.lock);
    for (Process& process : process_table.slots) {
        if (process.pid != pid || process.state == ProcessState::unused) continue;
        process.killed = true;
        if (process.state == ProcessState::sleeping) process.state = ProcessState::runnable;
        return 0;
    }
    return -1;
}

}  // namespace kernel
