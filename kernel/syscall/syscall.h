#pragma once
// System calls: the number is in a7, the arguments in a0...a5, the result goes to a0 (-1 for every failure).

#include "process/process.h"

namespace kernel {

// Does the system call that the current process has trapped for.
void system_call(Process& self);

// The arguments as the types that the calls want. Where xv6 takes an int, only the low 32 bits count.
class Arguments {
  public:
    explicit Arguments(Trapframe const& frame) : frame_(frame) {}

    int integer(int index) const { return static_cast<int>(static_cast<uint32_t>(frame_.a[index])); }
    VirtAddr address(int index) const { return VirtAddr{frame_.a[index]}; }

  private:
    Trapframe const& frame_;
};

// Each call, as described in xv6's manual; in process_calls.cpp and file_calls.cpp.
int64_t call_fork(Process& self, Arguments arguments);
int64_t call_exit(Process& self, Arguments arguments);
int64_t call_wait(Process& self, Arguments arguments);
int64_t call_kill(Process& self, Arguments arguments);
int64_t call_exec(Process& self, Arguments arguments);
int64_t call_getpid(Process& self, Arguments arguments);
int64_t call_sbrk(Process& self, Arguments arguments);
int64_t call_sleep(Process& self, Arguments arguments);
int64_t call_uptime(Process& self, Arguments arguments);

int64_t call_pipe(Process& self, Arguments arguments);
int64_t call_read(Process& self, Arguments arguments);
int64_t call_write(Process& self, Arguments arguments);
int64_t call_fstat(Process& self, Arguments arguments);
int64_t call_chdir(Process& self, Arguments arguments);
int64_t call_dup(Process& self, Arguments arguments);
int64_t call_open(Process& self, Arguments arguments);
int64_t call_close(Process& self, Arguments arguments);
int64_t call_mkdir(Process& self, Arguments arguments);
int64_t call_mknod(Process& self, Arguments arguments);
int64_t call_link(Process& self, Arguments arguments);
int64_t call_unlink(Process& self, Arguments arguments);

}  // namespace kernel
