#include "impl/board/trap.h"

namespace vmcheck::board {
namespace {

// Direct (0) or vectored (1) mode in the low two bits; the latter for interrupts only.
VirtAddr vector_address(std::uint64_t trap_vector, std::uint64_t cause) {
    VirtAddr const base{trap_vector & ~std::uint64_t{3}};
    bool const vectored = (trap_vector & 3) == 1 && (cause & cause::interrupt);
    return vectored ? base + 4 * (cause & ~cause::interrupt) : base;
}

bool is_delegated(TrapContext const& context, std::uint64_t cause) {
    if (context.privilege == Privilege::machine) return false;
    bool const interrupt = (cause & cause::interrupt) != 0;
    std::uint64_t const code = cause & ~cause::interrupt;
    std::uint64_t const delegation = interrupt ? context.interrupt_delegation : context.exception_delegation;
    return code < 64 && ((delegation >> code) & 1);
}

}  // namespace

TrapEntry enter_trap(TrapContext const& context, std::uint64_t cause) {
    using namespace mstatus;
    std::uint64_t status = context.mstatus;
    if (is_delegated(context, cause)) {
        bool const enabled = status & supervisor_interrupts;
        status &= ~(supervisor_interrupts | supervisor_previous_interrupts | supervisor_previous_privilege);
        if (enabled) status |= supervisor_previous_interrupts;
        if (context.privilege == Privilege::supervisor) status |= supervisor_previous_privilege;
        return {Privilege::supervisor, status, vector_address(context.supervisor_vector, cause)};
    }
    bool const enabled = status & machine_interrupts;
    status &= ~(machine_interrupts | machine_previous_interrupts | machine_previous_privilege);
    if (enabled) status |= machine_previous_interrupts;
    status |= static_cast<std::uint64_t>(context.privilege) << machine_previous_privilege_shift;
    return {Privilege::machine, status, vector_address(context.machine_vector, cause)};
}

}  // namespace vmcheck::board
