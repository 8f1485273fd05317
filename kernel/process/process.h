#pragma once
// Processes: a fixed table of them, guarded by one lock. Life of a slot:
//
//     unused -> starting -> runnable <-> running -> zombie -> unused
//                              ^            |
//                              +- sleeping <+
//
// The table's lock guards state, parent, killed, channel and exit_status of every slot, and is held across every
// switch between threads. The rest of a process belongs to the process itself; of one that is starting or a zombie, to
// its parent.

#include "config.h"
#include "files/file.h"
#include "memory/address_space.h"
#include "sync/spin_lock.h"

namespace kernel {

enum class ProcessState : uint32_t { unused, starting, runnable, running, sleeping, zombie };

// What switch_context() keeps of a thread (riscv/switch_context.S).
struct Context {
    uint64_t ra = 0;
    uint64_t sp = 0;
    uint64_t s[12] = {};
};

struct Process {
    int pid = 0;
    ProcessState state = ProcessState::unused;
    Process* parent = nullptr;
    void const* channel = nullptr;  // what a sleeping process waits for
    bool killed = false;            // is to exit before it next returns to user mode
    int exit_status = 0;

    AddressSpace space;
    Trapframe* trapframe = nullptr;  // the one mapped in `space`
    Context context;                 // while it is not running
    size_t fetched_on = 0;           // the hart that ran it last
    FileRef files[kFilesPerProcessMax];
    InodeRef current_directory;
    char name[16] = {};  // of the program, for messages
};

struct ProcessTable {
    SpinLock lock;
    Process slots[kProcessesMax];
    Process* init = nullptr;      // the first process: gets the orphans, and must not end
    Process* last_run = nullptr;  // where the round robin stands
    int last_pid = 0;
};
extern ProcessTable process_table;

// The process on whose behalf this runs. REQUIRES: there is one (not the idle thread).
Process& current_process();

// Takes an unused slot and makes it `starting`, with a new pid and a kernel stack on which it will begin in
// process_begin(). Null when there is none.
Process* claim_slot();

// Gives back all that a `starting` or `zombie` process has, and its slot. REQUIRES: the caller is its parent.
void release_slot(Process& process);

// Prints a line for each process: pid, state, name. For people who wonder what the machine is doing.
void list_processes();

// Whether `process` has been told to end.
bool is_killed(Process const& process);

// Tells `process` to end.
void mark_killed(Process& process);

}  // namespace kernel
