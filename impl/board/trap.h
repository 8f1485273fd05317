#pragma once
// What the hart does when it takes a trap, as a pure function (RISC-V privileged spec, "Supervisor Status Register",
// "Machine Trap Delegation Registers", "Supervisor Trap Vector Base Address Register").

#include "impl/board/types.h"
#include "spec/address.h"

#include <cstdint>

namespace vmcheck::board {

// Exception codes as in scause and mcause (privileged spec, table "Supervisor cause register values after trap").
namespace cause {
inline constexpr std::uint64_t instruction_access_fault = 1;
inline constexpr std::uint64_t illegal_instruction = 2;
inline constexpr std::uint64_t breakpoint = 3;
inline constexpr std::uint64_t load_misaligned = 4;
inline constexpr std::uint64_t store_misaligned = 6;
inline constexpr std::uint64_t user_ecall = 8;
inline constexpr std::uint64_t supervisor_ecall = 9;
inline constexpr std::uint64_t machine_ecall = 11;
inline constexpr std::uint64_t instruction_page_fault = 12;
inline constexpr std::uint64_t load_page_fault = 13;
inline constexpr std::uint64_t store_page_fault = 15;
inline constexpr std::uint64_t interrupt = std::uint64_t{1} << 63;
inline constexpr std::uint64_t machine_software_interrupt = interrupt | 3;
inline constexpr std::uint64_t machine_timer_interrupt = interrupt | 7;
}  // namespace cause

// The bits of mstatus that traps use.
namespace mstatus {
inline constexpr std::uint64_t supervisor_interrupts = 1 << 1;           // SIE
inline constexpr std::uint64_t machine_interrupts = 1 << 3;              // MIE
inline constexpr std::uint64_t supervisor_previous_interrupts = 1 << 5;  // SPIE
inline constexpr std::uint64_t machine_previous_interrupts = 1 << 7;     // MPIE
inline constexpr std::uint64_t supervisor_previous_privilege = 1 << 8;   // SPP
inline constexpr unsigned machine_previous_privilege_shift = 11;         // MPP, two bits
inline constexpr std::uint64_t machine_previous_privilege = 3 << 11;
inline constexpr std::uint64_t modify_privilege = 1 << 17;          // MPRV
inline constexpr std::uint64_t supervisor_user_memory = 1 << 18;    // SUM
inline constexpr std::uint64_t make_executable_readable = 1 << 19;  // MXR
}  // namespace mstatus

// What decides where a trap goes.
struct TrapContext {
    Privilege privilege = Privilege::machine;
    std::uint64_t mstatus = 0;
    std::uint64_t exception_delegation = 0;  // medeleg
    std::uint64_t interrupt_delegation = 0;  // mideleg
    std::uint64_t supervisor_vector = 0;     // stvec
    std::uint64_t machine_vector = 0;        // mtvec
};

struct TrapEntry {
    Privilege to = Privilege::machine;  // supervisor or machine
    std::uint64_t mstatus = 0;          // the new value
    VirtAddr vector;                    // the new pc
};

// `cause` as it will stand in scause or mcause.
TrapEntry enter_trap(TrapContext const& context, std::uint64_t cause);

}  // namespace vmcheck::board
