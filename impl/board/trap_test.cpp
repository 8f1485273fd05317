#include "impl/board/trap.h"

#include <gtest/gtest.h>

namespace vmcheck::board {
namespace {

TrapContext context(Privilege privilege, std::uint64_t status) {
    return {privilege, status, 0xb1ff, 0x222, 0x8000'1000, 0x8000'2000};
}

TEST(Trap, ADelegatedExceptionFromUserModeGoesToTheSupervisor) {
    TrapEntry const entry = enter_trap(context(Privilege::user, mstatus::supervisor_interrupts), cause::user_ecall);
    EXPECT_EQ(entry.to, Privilege::supervisor);
    EXPECT_EQ(entry.vector, VirtAddr{0x8000'1000});
    EXPECT_EQ(entry.mstatus, mstatus::supervisor_previous_interrupts);
}

TEST(Trap, ASupervisorTrapRemembersPrivilegeAndInterruptEnable) {
    TrapEntry const entry = enter_trap(context(Privilege::supervisor, mstatus::supervisor_previous_interrupts), 15);
    EXPECT_EQ(entry.to, Privilege::supervisor);
    EXPECT_EQ(entry.mstatus, mstatus::supervisor_previous_privilege) << "SPIE takes the value of SIE, which was 0";
}

TEST(Trap, WhatIsNotDelegatedGoesToMachineMode) {
    TrapEntry const entry =
        enter_trap(context(Privilege::supervisor, mstatus::machine_interrupts | mstatus::supervisor_interrupts),
                   cause::supervisor_ecall);
    EXPECT_EQ(entry.to, Privilege::machine);
    EXPECT_EQ(entry.vector, VirtAddr{0x8000'2000});
    EXPECT_EQ(entry.mstatus, mstatus::machine_previous_interrupts | mstatus::supervisor_interrupts |
                                 (std::uint64_t{1} << mstatus::machine_previous_privilege_shift));
}

TEST(Trap, MachineModeNeverTrapsDownwards) {
    TrapEntry const entry = enter_trap(context(Privilege::machine, 0), cause::illegal_instruction);
    EXPECT_EQ(entry.to, Privilege::machine);
    EXPECT_EQ(entry.mstatus, mstatus::machine_previous_privilege);
}

TEST(Trap, InterruptsFollowMidelegAndExceptionsMedeleg) {
    EXPECT_EQ(enter_trap(context(Privilege::user, 0), cause::interrupt | 5).to, Privilege::supervisor);
    EXPECT_EQ(enter_trap(context(Privilege::user, 0), cause::machine_timer_interrupt).to, Privilege::machine);
    TrapContext none = context(Privilege::user, 0);
    none.exception_delegation = 0;
    EXPECT_EQ(enter_trap(none, cause::breakpoint).to, Privilege::machine);
}

TEST(Trap, VectoredModeIsForInterruptsOnly) {
    TrapContext vectored = context(Privilege::user, 0);
    vectored.supervisor_vector |= 1;
    EXPECT_EQ(enter_trap(vectored, cause::interrupt | 9).vector, VirtAddr{0x8000'1000 + 36});
    EXPECT_EQ(enter_trap(vectored, cause::user_ecall).vector, VirtAddr{0x8000'1000});
}

}  // namespace
}  // namespace vmcheck::board
