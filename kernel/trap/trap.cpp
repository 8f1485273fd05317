#include "trap/trap.h"

#include "base/panic.h"
#include "base/print.h"
#include "devices/console.h"
#include "devices/plic.h"
#include "devices/timer.h"
#include "devices/uart.h"
#include "devices/virtio_disk.h"
#include "memory/kernel_table.h"
#include "process/kernel_stacks.h"
#include "process/lifecycle.h"
#include "process/scheduler.h"
#include "riscv/csr.h"
#include "syscall/syscall.h"

extern "C" {
extern char user_entry[];
extern char user_return[];
extern char kernel_vector[];
void user_trap();
void kernel_trap();
}

namespace kernel {
namespace {

// scause (privileged specification, "Supervisor Cause Register").
enum Cause : uint64_t {
    kFetchPageFault = 12,
    kLoadPageFault = 13,
    kStorePageFault = 15,
    kUserEnvironmentCall = 8,
};

enum class Interrupt { none, timer, device };

void external_interrupt() {
    uint32_t const which = plic_claim();
    if (which == kNoInterrupt) return;
    if (which == kUartInterrupt) {
        uart_interrupt();
        console_interrupt();
    }
    if (which == kVirtioDiskInterrupt) disk_interrupt();
    plic_complete(which);
}

// Serves what `cause` says if it is an interrupt. REQUIRES: interrupts are off.
Interrupt serve_interrupt(uint64_t cause) {
    if (cause == (kCauseInterrupt | kTickInterrupt)) {
        timer_interrupt();
        return Interrupt::timer;
    }
    if (cause == (kCauseInterrupt | kInterruptExternal)) {
        external_interrupt();
        return Interrupt::device;
    }
    return Interrupt::none;
}

bool resolve_page_fault(Process& self, uint64_t cause, VirtAddr address) {
    switch (cause) {
        case kFetchPageFault:
            return static_cast<bool>(self.space.resolve(address, Access::execute));
        case kLoadPageFault:
            return static_cast<bool>(self.space.resolve(address, Access::load));
        case kStorePageFault:
            return static_cast<bool>(self.space.resolve(address, Access::store));
        default:
            return false;
    }
}

void kill_for(Process& self, uint64_t cause, uint64_t value) {
    print("killed: pid ", self.pid, " (", static_cast<char const*>(self.name), "), scause ", Hex{cause}, ", stval ",
          Hex{value}, ", pc ", Hex{self.trapframe->program_counter}, "\n");
    mark_killed(self);
}

uint64_t trampoline_address(char const* symbol) {
    return (kTrampoline + static_cast<uint64_t>(symbol - trampoline_start)).value;
}

}  // namespace

void initialize_traps() {
    KERNEL_CSR_WRITE("stvec", reinterpret_cast<uint64_t>(kernel_vector));
    KERNEL_CSR_SET("sie", UINT64_C(1) << kTickInterrupt | UINT64_C(1) << kInterruptExternal);
}

[[noreturn]] void return_to_user() {
    disable_interrupts();  // from here on, a trap would be taken for one of the user's
    Process& self = current_process();
    KERNEL_CSR_WRITE("stvec", trampoline_address(user_entry));
    Trapframe& frame = *self.trapframe;
    frame.kernel_satp = kernel_satp();
    frame.kernel_stack = reinterpret_cast<uint64_t>(&kernel_stacks[&self - process_table.slots] + 1);
    frame.kernel_entry = reinterpret_cast<uint64_t>(&user_trap);
    frame.kernel_hart = hart_number();
    // What another hart has written for this process to execute, as in exec, need not be what this one would fetch.
    if (self.fetched_on != frame.kernel_hart) flush_instructions();
    self.fetched_on = frame.kernel_hart;

    KERNEL_CSR_CLEAR("sstatus", kSstatusFromSupervisor);
    KERNEL_CSR_SET("sstatus", kSstatusInterruptsOnBefore);
    KERNEL_CSR_WRITE("sepc", frame.program_counter);

    using UserReturn = void (*)(uint64_t satp);
    uint64_t const satp = kSatpSv39 | self.space.root().value / kPageBytes;
    reinterpret_cast<UserReturn>(trampoline_address(user_return))(satp);
    __builtin_unreachable();
}

}  // namespace kernel

// From riscv/trampoline.S, on the process's kernel stack, with interrupts off.
extern "C" void user_trap() {
    using namespace kernel;
    KERNEL_CSR_WRITE("stvec", reinterpret_cast<uint64_t>(kernel_vector));
    uint64_t const cause = KERNEL_CSR_READ("scause");
    uint64_t const value = KERNEL_CSR_READ("stval");
    Process& self = current_process();
    self.trapframe->program_counter = KERNEL_CSR_READ("sepc");

    Interrupt const interrupt = serve_interrupt(cause);
    if (interrupt == Interrupt::none) {
        enable_interrupts();
        if (cause == kUserEnvironmentCall) {
            if (is_killed(self)) exit_process(-1);
            self.trapframe->program_counter += 4;  // go on after the ecall
            system_call(self);
        } else if (!resolve_page_fault(self, cause, VirtAddr{value})) {
            kill_for(self, cause, value);
        }
    }
    if (is_killed(self)) exit_process(-1);
    if (interrupt == Interrupt::timer) yield();
    return_to_user();
}

// From riscv/kernel_vector.S, on the stack of the thread that was interrupted, with interrupts off.
extern "C" void kernel_trap() {
    using namespace kernel;
    uint64_t const resume_at = KERNEL_CSR_READ("sepc");
    uint64_t const status = KERNEL_CSR_READ("sstatus");
    uint64_t const cause = KERNEL_CSR_READ("scause");

    Interrupt const interrupt = serve_interrupt(cause);
    if (interrupt == Interrupt::none) {
        print("kernel trap: scause ", Hex{cause}, ", stval ", Hex{KERNEL_CSR_READ("stval")}, ", sepc ", Hex{resume_at},
              "\n");
        panic("trap in the kernel");
    }
    // No spin lock is held here: interrupts are off while one is.
    if (interrupt == Interrupt::timer && process_is_running()) yield();

    // Other traps may have come while others ran.
    KERNEL_CSR_WRITE("sepc", resume_at);
    KERNEL_CSR_WRITE("sstatus", status);
}
