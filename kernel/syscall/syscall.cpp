#include "syscall/syscall.h"

#include "syscall/numbers.h"

namespace kernel {
namespace {

int64_t dispatch(SystemCall number, Process& self, Arguments arguments) {
    switch (number) {
        case SystemCall::fork:
            return call_fork(self, arguments);
        case SystemCall::exit:
            return call_exit(self, arguments);
        case SystemCall::wait:
            return call_wait(self, arguments);
        case SystemCall::pipe:
            return call_pipe(self, arguments);
        case SystemCall::read:
            return call_read(self, arguments);
        case SystemCall::kill:
            return call_kill(self, arguments);
        case SystemCall::exec:
            return call_exec(self, arguments);
        case SystemCall::fstat:
            return call_fstat(self, arguments);
        case SystemCall::chdir:
            return call_chdir(self, arguments);
        case SystemCall::dup:
            return call_dup(self, arguments);
        case SystemCall::getpid:
            return call_getpid(self, arguments);
        case SystemCall::sbrk:
            return call_sbrk(self, arguments);
        case SystemCall::sleep:
            return call_sleep(self, arguments);
        case SystemCall::uptime:
            return call_uptime(self, arguments);
        case SystemCall::open:
            return call_open(self, arguments);
        case SystemCall::write:
            return call_write(self, arguments);
        case SystemCall::close:
            return call_close(self, arguments);
        case SystemCall::mknod:
            return call_mknod(self, arguments);
        case SystemCall::unlink:
            return call_unlink(self, arguments);
        case SystemCall::link:
            return call_link(self, arguments);
        case SystemCall::mkdir:
            return call_mkdir(self, arguments);
    }
    return -1;
}

}  // namespace

void system_call(Process& self) {
    auto const number = static_cast<SystemCall>(self.trapframe->a[7]);
    int64_t const result = dispatch(number, self, Arguments{*self.trapframe});
    self.trapframe->a[0] = static_cast<uint64_t>(result);
}

}  // namespace kernel
